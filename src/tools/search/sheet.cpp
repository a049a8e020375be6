#include "tools/search/sheet.h"

#include <algorithm>

#include "tools/pqxx_versions.h"
#include "tools/printable.h"
#include "tools/search/answer.h"
#include "tools/static_files.h"

namespace lookalike {
namespace {

constexpr int kThumbnail = 360;

std::string escaped(const std::string& plain) {
    std::string text;
    for (const char c : printable(plain)) {
        switch (c) {
            case '&':
                text += "&amp;";
                break;
            case '<':
                text += "&lt;";
                break;
            case '>':
                text += "&gt;";
                break;
            case '"':
                text += "&quot;";
                break;
            default:
                text += c;
        }
    }
    return text;
}

// The lines stay.
std::string escaped_lines(const std::string& plain) {
    std::string text;
    for (size_t begin = 0; begin < plain.size();) {
        const size_t end = std::min(plain.find('\n', begin), plain.size());
        text += escaped(plain.substr(begin, end - begin)) + "\n";
        begin = end + 1;
    }
    return text;
}

// A picture that cannot be used leaves a gap.
std::string image(const pqxx::result& rows, const std::string& title) {
    if (rows.empty() || rows[0][0].is_null()) return "<div class=\"none\"></div>";
    std::string source;
    for (const char* c = rows[0][0].c_str(); *c != '\0'; ++c)
        if (*c != '\n') source += *c;
    const char* type = source.starts_with("iVBOR") ? "png" : "jpeg";
    return "<img alt=\"" + escaped(title) + "\" src=\"data:image/" + type + ";base64," + source +
           "\">";
}

std::string thumbnail(pqxx::transaction_base& work, const std::string& statement,
                      const std::vector<std::string>& values, const std::string& title) {
    try {
        return image(exec_with(work, statement, values), title);
    } catch (const pqxx::broken_connection&) {
        throw;
    } catch (const pqxx::sql_error&) {
        return image({}, title);
    }
}

std::string of_row(pqxx::transaction_base& work, const PictureTable& table, const std::string& key,
                   const std::string& title) {
    if (table.photo.empty()) return image({}, title);
    return thumbnail(work,
                     "SELECT encode(image_thumbnail(" + table.sql(table.photo) +
                         ", $2), 'base64')" + " FROM " + table.name + " WHERE " +
                         table.sql(table.key) + " = $1",
                     {key, std::to_string(kThumbnail)}, title);
}

std::string of_query(pqxx::transaction_base& work, const PictureTable& table,
                     const SheetQuery& query) {
    if (!query.text.empty()) return "<p class=\"words\">" + escaped(query.text) + "</p>";
    if (!query.row.empty()) return of_row(work, table, query.row, query.name);
    return image(
        exec_with_picture(work, "SELECT encode(image_thumbnail($1::bytea, $2::int), 'base64')",
                          query.picture, "520"),
        query.name);
}

void write_card(std::ostream& out, pqxx::transaction_base& work, const PictureTable& table,
                const FoundRow& row) {
    const std::string title = title_of(table, row);
    out << "<figure>" << of_row(work, table, row.key, title)
        << "<figcaption><div class=\"name\"><b>" << escaped(title)
        << "</b><span class=\"distance\">" << distance_text(row) << "</span></div>";
    if (row.percent && *row.percent >= 1)
        out << "<div class=\"match\">match " << percent_text(row) << "</div>";
    out << "<dl>";
    for (size_t i = 0; i < row.values.size(); ++i)
        if (row.values[i] && table.shown[i].name != table.title)
            out << "<dt>" << escaped(table.shown[i].name) << "</dt><dd>"
                << escaped(row.values[i]->substr(0, 300)) << "</dd>";
    out << "</dl></figcaption></figure>\n";
}

}  // namespace

void write_sheet(std::ostream& out, pqxx::transaction_base& work, const PictureTable& table,
                 const Measure& measure, const SheetQuery& query, const Answer& answer) {
    out << "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width\">\n<title>"
        << escaped(query.name) << " in " << escaped(table.name) << "</title>\n<style>\n"
        << static_file("sheet.css") << "</style>\n<aside><div class=\"query\">"
        << of_query(work, table, query) << "</div><h1>" << escaped(query.name) << "</h1><p>"
        << answer.rows.size() << " rows of <b>" << escaped(table.name) << "</b>, nearest by <b>"
        << escaped(measure.column) << "</b></p><pre>" << escaped_lines(answer.sql)
        << "</pre></aside>\n<main>\n";
    for (const auto& row : answer.rows)
        write_card(out, work, table, row);
    out << "</main>\n</html>\n";
}

}  // namespace lookalike
