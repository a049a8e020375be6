#include "tools/search/answer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/text/unicode.h"
#include "tools/json_text.h"
#include "tools/printable.h"

namespace lookalike {
namespace {

constexpr size_t kCellWidth = 36;

size_t width(const std::string& text) {
    return decode_utf8(text).size();
}

std::string cell(const std::optional<std::string>& value) {
    if (!value) return "";
    std::u32string points = decode_utf8(printable(*value));
    if (points.size() > kCellWidth) {
        points.resize(kCellWidth - 1);
        points += U'\u2026';
    }
    return encode_utf8(points);
}

std::string csv_field(const std::string& text) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text)
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::vector<std::string> header(const PictureTable& table) {
    std::vector<std::string> names = {table.key, "distance", "match"};
    for (const auto& column : table.shown)
        names.push_back(column.name);
    return names;
}

}  // namespace

std::string distance_text(const FoundRow& row) {
    if (!row.distance) return "";
    char text[64];
    std::snprintf(text, sizeof text, std::fabs(*row.distance) < 10 ? "%.3f" : "%.1f",
                  *row.distance);
    return text;
}

std::string percent_text(const FoundRow& row) {
    return row.percent ? std::to_string(std::lround(*row.percent)) + " %" : "";
}

std::string title_of(const PictureTable& table, const FoundRow& row) {
    const auto found = std::ranges::find(table.shown, table.title, &ShownColumn::name);
    if (found == table.shown.end()) return table.key + " " + row.key;
    const auto& value = row.values[static_cast<size_t>(found - table.shown.begin())];
    if (!value) return table.key + " " + row.key;
    const bool is_path = table.title == "path" || table.title == "file";
    const size_t slash = is_path ? value->rfind('/') : std::string::npos;
    return slash == std::string::npos ? *value : value->substr(slash + 1);
}

void write_table(std::ostream& out, const PictureTable& table, const Answer& answer) {
    std::vector<std::vector<std::string>> lines = {header(table)};
    for (auto& name : lines[0])
        name = cell(name);
    for (const auto& row : answer.rows) {
        std::vector<std::string> line = {cell(row.key), distance_text(row), percent_text(row)};
        for (const auto& value : row.values)
            line.push_back(cell(value));
        lines.push_back(std::move(line));
    }
    std::vector<size_t> widths(lines[0].size(), 0);
    for (const auto& line : lines)
        for (size_t i = 0; i < line.size(); ++i)
            widths[i] = std::max(widths[i], width(line[i]));
    for (const auto& line : lines) {
        std::string text;
        for (size_t i = 0; i < line.size(); ++i) {
            const std::string gap(widths[i] - width(line[i]), ' ');
            const bool to_the_right = i == 1 || i == 2;
            text += (i > 0 ? "  " : "") + (to_the_right ? gap + line[i] : line[i] + gap);
        }
        out << text.substr(0, text.find_last_not_of(' ') + 1) << '\n';
    }
}

void write_json(std::ostream& out, const PictureTable& table, const Answer& answer) {
    out << '[';
    for (size_t i = 0; i < answer.rows.size(); ++i) {
        const auto& row = answer.rows[i];
        out << (i > 0 ? ",\n " : "\n ") << "{\"key\": " << json_text(row.key)
            << ", \"distance\": " << json_number(row.distance)
            << ", \"match\": " << json_number(row.percent) << ", \"row\": {";
        for (size_t j = 0; j < row.values.size(); ++j)
            out << (j > 0 ? ", " : "") << json_text(table.shown[j].name) << ": "
                << (row.values[j] ? json_text(*row.values[j]) : "null");
        out << "}}";
    }
    out << (answer.rows.empty() ? "]\n" : "\n]\n");
}

void write_csv(std::ostream& out, const PictureTable& table, const Answer& answer) {
    const auto names = header(table);
    for (size_t i = 0; i < names.size(); ++i)
        out << (i > 0 ? "," : "") << csv_field(names[i]);
    out << "\r\n";
    for (const auto& row : answer.rows) {
        out << csv_field(row.key) << ',' << (row.distance ? json_number(row.distance) : "") << ','
            << (row.percent ? json_number(row.percent) : "");
        for (const auto& value : row.values)
            out << ',' << (value ? csv_field(*value) : "");
        out << "\r\n";
    }
}

}  // namespace lookalike
