#include "tools/search/search_run.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "tools/exit_code.h"
#include "tools/picture_table/ask.h"
#include "tools/search/answer.h"
#include "tools/search/sheet.h"

namespace lookalike {
namespace {

constexpr size_t kMaxPictureBytes = 64 << 20;

std::string read_picture(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw WrongUse("cannot read the picture \"" + path + "\": " + std::strerror(errno));
    std::string content{std::istreambuf_iterator<char>(in), {}};
    if (content.empty()) throw WrongUse("the picture \"" + path + "\" is empty");
    if (content.size() > kMaxPictureBytes)
        throw WrongUse("the picture \"" + path + "\" has more than 64 MB");
    return content;
}

bool has_row(pqxx::transaction_base& work, const PictureTable& table, const std::string& key) {
    return !work.exec("SELECT FROM " + table.name + " WHERE " + table.sql(table.key) + " = " +
                      work.quote(key))
                .empty();
}

Question question_of(pqxx::transaction_base& work, const SearchOptions& options,
                     const PictureTable& table, const std::string& picture) {
    const Measure& measure = table.measures.front();
    Question question;
    question.where = options.where;
    question.radius = options.radius;
    question.limit = options.limit;
    if (!options.row.empty()) {
        if (!has_row(work, table, options.row))
            throw WrongUse("--row: the table " + table.name + " has no row with " +
                           table.sql(table.key) + " = " + options.row);
        question.asked_by = AskedBy::kRow;
        question.value = options.row;
    } else if (!options.text.empty()) {
        if (!measure.takes_text)
            throw WrongUse(
                "--text: the column \"" + measure.column +
                "\" is not of a network with a text network beside it, see docs/TEXT.md");
        question.asked_by = AskedBy::kText;
        question.value = options.text;
    } else {
        question.asked_by = AskedBy::kFeatures;
        question.value = features_of_picture(work, measure, picture);
        question.said = said_of_picture(measure);
    }
    return question;
}

void write_sheet_file(pqxx::transaction_base& work, const SearchOptions& options,
                      const PictureTable& table, const std::string& picture, const Answer& answer) {
    SheetQuery query = {picture, options.row, options.text, ""};
    query.name = !options.row.empty()    ? table.key + " " + options.row
                 : !options.text.empty() ? "\u201c" + options.text + "\u201d"
                                         : options.picture.substr(options.picture.rfind('/') + 1);
    std::ofstream out(options.sheet, std::ios::binary);
    write_sheet(out, work, table, table.measures.front(), query, answer);
    out.close();
    if (!out) throw WrongUse("--html: cannot write \"" + options.sheet + "\"");
}

}  // namespace

void run_search(const SearchOptions& options) {
    const int queries = !options.picture.empty() + !options.row.empty() + !options.text.empty();
    if (queries != 1) throw WrongUse("name one of a picture, --row and --text to search for");
    const std::string picture = options.picture.empty() ? "" : read_picture(options.picture);
    const auto connection = connect(options.database);
    pqxx::nontransaction work(*connection);
    // Each statement is a transaction, of which the user's SQL is one; none may write.
    work.exec("SET default_transaction_read_only = on");
    find_extension(work);
    const PictureTable table = open_picture_table(work, options.table);
    if (!options.sheet.empty() && table.photo.empty())
        throw WrongUse("--html: the table " + table.name + " has no column of pictures (bytea)");
    const Answer answer =
        ask(work, table, table.measures.front(), question_of(work, options, table, picture));
    if (answer.rows.empty()) std::cerr << "lookalike: no row answers\n";
    if (!options.sheet.empty())
        write_sheet_file(work, options, table, picture, answer);
    else if (options.output == SearchOutput::kJson)
        write_json(std::cout, table, answer);
    else if (options.output == SearchOutput::kCsv)
        write_csv(std::cout, table, answer);
    else
        write_table(std::cout, table, answer);
}

}  // namespace lookalike
