#include "tools/commands/search.h"

#include <memory>

#include "tools/commands/picture_table_options.h"
#include "tools/search/search_run.h"

namespace lookalike {

void add_search(CLI::App& app) {
    auto* search = app.add_subcommand("search", "Search a table for a picture, a row or a text");
    auto options = std::make_shared<SearchOptions>();
    add_database_options(*search, options->database);
    search->add_option("picture", options->picture, "File of the picture to search for");
    search->add_option("--row", options->row, "Search for the picture of this row, by its key");
    search->add_option("--text", options->text, "Search for words, where a text network is there");
    add_picture_table_options(*search, options->table);
    search->add_option("--where", options->where, "Condition in SQL");
    search->add_option("-k", options->limit, "How many rows")
        ->check(CLI::Range(1u, 10000u))
        ->capture_default_str();
    search->add_option("--within", options->radius, "Only rows within this distance");
    auto* sheet =
        search->add_option("--html", options->sheet, "Write a contact sheet to this file");
    auto* json = search->add_flag_callback(
        "--json", [options] { options->output = SearchOutput::kJson; }, "Print JSON");
    auto* csv = search->add_flag_callback(
        "--csv", [options] { options->output = SearchOutput::kCsv; }, "Print CSV");
    sheet->excludes(json)->excludes(csv);
    json->excludes(csv);
    search->footer(
        "Example:\n  lookalike search query.jpg --table pins --where \"season = 'SS26'\" -d shop\n"
        "  lookalike search --row 7 --table pins -k 40 --html sheet.html\n"
        "Exit status: 0 fine, 2 wrong use, 3 no database.");
    search->callback([options] { run_search(*options); });
}

}  // namespace lookalike
