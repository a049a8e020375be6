// Searches a table of pictures.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/picture_table/question.h"

namespace lookalike {

struct FoundRow {
    std::string key;
    std::optional<double> distance;
    std::optional<double> percent;                   ///< match, where something tells
    std::vector<std::optional<std::string>> values;  ///< of the shown columns
};

struct Answer {
    std::vector<FoundRow> rows;
    std::string sql;  ///< that ran, with its values
    double ms = 0;    ///< until its rows were here
};

/// What the measure's extractor makes of a picture, as text. Throws WrongUse where no extractor is
/// known, pqxx::sql_error for a picture that cannot be used.
std::string features_of_picture(pqxx::transaction_base& work, const Measure& measure,
                                std::string_view picture);

/// How such features are shown in a statement.
std::string said_of_picture(const Measure& measure);

/// Throws pqxx::sql_error.
Answer ask(pqxx::transaction_base& work, const PictureTable& table, const Measure& measure,
           const Question& question);

}  // namespace lookalike
