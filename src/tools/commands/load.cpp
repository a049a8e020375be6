#include "tools/commands/load.h"

#include <algorithm>
#include <memory>
#include <thread>

#include "tools/load/load_run.h"

namespace lookalike {

void add_load(CLI::App& app) {
    auto* load = app.add_subcommand("load", "Load the pictures of a folder into a table");
    auto options = std::make_shared<LoadOptions>();
    options->job_count = std::clamp(std::thread::hardware_concurrency(), 1u, 64u);
    add_database_options(*load, options->database);
    load->add_option("folder", options->folder, "Folder of pictures; those below it are taken, too")
        ->required();
    load->add_option("-t,--table", options->table.table,
                     "Table, as in SQL; created where it is not there")
        ->required();
    load->add_option("-m,--metadata", options->metadata,
                     "What is known of the pictures: a file .csv, .tsv, .json or .jsonl");
    load->add_option("--key", options->key,
                     "Its column that names the pictures (default: the one that names most)");
    load->add_option("--filter", options->table.filters,
                     "Columns of the metadata that the index filters by, as in season,quality")
        ->delimiter(',');
    load->add_option("-e,--extractor", options->table.extractor,
                     "What makes the features (default: color+pattern, or the table's)");
    load->add_option("--locals", options->table.locals, "Local features, too")
        ->check(CLI::IsMember({"orb", "sift"}));
    load->add_option("-j,--jobs", options->job_count,
                     "Connections at the same time (default: processors)")
        ->check(CLI::Range(1, 64));
    load->footer(
        "Example:\n"
        "  lookalike load pictures --table pins --metadata pins.csv --filter season -d shop\n"
        "The same command again loads what is new or changed, and nothing twice.\n"
        "Exit status: 0 fine, 1 some files failed, 2 wrong use, 3 no database.");
    load->callback([options] { throw CLI::RuntimeError(run_load(*options)); });
}

}  // namespace lookalike
