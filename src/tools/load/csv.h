// Comma-separated values as of RFC 4180; semicolons and tabs part, too.
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace lookalike {

class CsvReader {
  public:
    /// Reads the header. What it has most of, commas, semicolons or tabs, parts the fields.
    /// Throws std::runtime_error when there is none.
    explicit CsvReader(std::istream& in);

    const std::vector<std::string>& names() const { return names_; }

    /// The next record; an empty field without quotes is nothing. Throws std::runtime_error, with
    /// the line, for a record of another number of fields and for a quote that does not end.
    bool next(std::vector<std::optional<std::string>>& fields);

  private:
    bool read_record(std::vector<std::optional<std::string>>& fields);
    std::string quoted_field();

    std::istream& in_;
    std::vector<std::string> names_;
    char separator_ = ',';
    size_t line_ = 1;
};

}  // namespace lookalike
