// lookalike search: the rows that are nearest to a picture, a row or a text.
#pragma once

#include <optional>
#include <string>

#include "tools/database.h"
#include "tools/picture_table/picture_table.h"

namespace lookalike {

enum class SearchOutput { kTable, kJson, kCsv };

struct SearchOptions {
    DatabaseOptions database;
    PictureTableOptions table;
    std::string picture;  ///< a file
    std::string row;      ///< its key
    std::string text;
    std::string where;
    std::optional<double> radius;
    unsigned limit = 10;
    SearchOutput output = SearchOutput::kTable;
    std::string sheet;  ///< file of the contact sheet, or empty
};

/// Throws WrongUse, NoDatabase, pqxx::sql_error.
void run_search(const SearchOptions& options);

}  // namespace lookalike
