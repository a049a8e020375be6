// A search of a table of pictures as one statement: its SQL, its values, and how it is shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/picture_table/picture_table.h"

namespace lookalike {

/// On one column: one of the values, or NULL, or between bounds. What is empty asks nothing.
struct Condition {
    std::string column;
    std::vector<std::string> values;
    bool or_null = false;
    std::string least, most;
};

enum class AskedBy { kNothing, kRow, kFeatures, kText };

struct Question {
    AskedBy asked_by = AskedBy::kNothing;
    std::string value;  ///< key of a row, descriptor or local features as text, words
    std::string said;   ///< how features that came from outside are shown
    std::vector<std::string> good, bad;  ///< keys of marked rows
    std::vector<Condition> conditions;
    std::string where;  ///< SQL of the user, or empty
    std::optional<double> radius;
    unsigned limit = 10;
    unsigned offset = 0;
};

struct Statement {
    std::string sql;
    std::vector<std::string> values;
    std::string shown;  ///< the same with its values in it
};

/// Rows of key, distance (NULL when nothing was asked), then the shown columns, all text but the
/// distance.
Statement search_statement(const PictureTable& table, const Measure& measure,
                           const Question& question);

/// What is searched for, as one value. REQUIRES: something is.
Statement target_statement(const PictureTable& table, const Measure& measure,
                           const Question& question);

/// How many rows have each value of the columns, in one scan: a row for each value has the column's
/// number, the value and the count; the number of all rows has no column. Conditions on `except`
/// do not count.
Statement count_statement(const PictureTable& table, const std::vector<std::string>& columns,
                          const std::vector<Condition>& conditions, const std::string& except);

/// As SQL writes an array.
std::string array_text(const std::vector<std::string>& values);

}  // namespace lookalike
