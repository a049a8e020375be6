#include "tools/load/csv.h"

#include <algorithm>
#include <stdexcept>

namespace lookalike {
namespace {

constexpr int kEnd = std::istream::traits_type::eof();

}  // namespace

CsvReader::CsvReader(std::istream& in) : in_(in) {
    std::string header;
    std::getline(in_, header);
    for (const char candidate : {';', '\t'})
        if (std::ranges::count(header, candidate) > std::ranges::count(header, separator_))
            separator_ = candidate;
    in_.clear();
    in_.seekg(header.starts_with("\xef\xbb\xbf") ? 3 : 0);
    std::vector<std::optional<std::string>> fields;
    if (!read_record(fields)) throw std::runtime_error("line 1: no names of columns");
    for (const auto& field : fields)
        names_.push_back(field.value_or(""));
}

bool CsvReader::next(std::vector<std::optional<std::string>>& fields) {
    const size_t line = line_;
    if (!read_record(fields)) return false;
    if (fields.size() != names_.size())
        throw std::runtime_error("line " + std::to_string(line) + ": " +
                                 std::to_string(fields.size()) + " fields, but " +
                                 std::to_string(names_.size()) + " names of columns");
    return true;
}

// Lines without anything are no records.
bool CsvReader::read_record(std::vector<std::optional<std::string>>& fields) {
    fields.clear();
    while (in_.peek() == '\n' || in_.peek() == '\r')
        line_ += in_.get() == '\n';
    if (in_.peek() == kEnd) return false;
    std::string field;
    bool was_quoted = false;
    while (true) {
        const int c = in_.get();
        if (c == '"' && field.empty() && !was_quoted) {
            field = quoted_field();
            was_quoted = true;
        } else if (c == '\r' && (in_.peek() == '\n' || in_.peek() == kEnd)) {
            // belongs to the line's end
        } else if (c == separator_ || c == '\n' || c == kEnd) {
            fields.push_back(field.empty() && !was_quoted ? std::nullopt
                                                          : std::optional(std::move(field)));
            field.clear();
            was_quoted = false;
            line_ += c == '\n';
            if (c != separator_) return true;
        } else {
            field += static_cast<char>(c);
        }
    }
}

std::string CsvReader::quoted_field() {
    const size_t line = line_;
    std::string field;
    while (true) {
        const int c = in_.get();
        if (c == kEnd)
            throw std::runtime_error("line " + std::to_string(line) + ": a quote does not end");
        if (c == '"' && in_.peek() != '"') return field;
        if (c == '"') in_.get();
        line_ += c == '\n';
        field += static_cast<char>(c);
    }
}

}  // namespace lookalike
