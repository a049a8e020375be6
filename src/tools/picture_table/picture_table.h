// What the client finds out by itself about a table of pictures.
#pragma once

#include <map>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "tools/picture_table/measure.h"

namespace lookalike {

struct PictureTableOptions {
    std::string table;    ///< as in SQL
    std::string key;      ///< column, empty: the primary key
    std::string photo;    ///< column, empty: found
    std::string measure;  ///< column to compare by, empty: the first with an index
};

enum class ColumnKind { kText, kNumber, kTime, kBoolean, kOther };

struct ShownColumn {
    std::string name;
    std::string type;
    ColumnKind kind;
    bool is_indexed;  ///< a filter of the index of the first measure
};

struct PictureTable {
    std::string name;  ///< as in SQL
    std::string oid;
    std::map<std::string, std::string> quoted;  ///< names of columns as in SQL
    std::string key;
    std::string key_type;
    std::string photo;               ///< empty: the table has none
    std::string title;               ///< column that names a picture, or empty
    std::vector<Measure> measures;   ///< what was asked for, or what has an index, first
    std::vector<ShownColumn> shown;  ///< those of the index first
    bool has_row_version;            ///< an ordinary table has xmin

    /// REQUIRES: a column of the table.
    const std::string& sql(const std::string& column) const { return quoted.at(column); }
};

/// Throws WrongUse where something is missing.
PictureTable open_picture_table(pqxx::transaction_base& work, const PictureTableOptions& options);

/// Puts the schema of the extension on the session's search_path.
void find_extension(pqxx::transaction_base& work);

}  // namespace lookalike
