// The table that pictures are loaded into: made where it is not there, checked where it is.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "tools/database.h"
#include "tools/load/metadata.h"

namespace lookalike {

struct LoadTableOptions {
    std::string table;                 ///< as in SQL
    std::string extractor;             ///< empty: the table's, of a new one color+pattern
    std::string locals;                ///< kind of local features, empty: none
    std::vector<std::string> filters;  ///< columns of the index, for a new table
};

struct LoadTable {
    std::string name;  ///< quoted
    std::string extractor;
    std::string locals;
    std::vector<TableColumn> filled;  ///< from metadata, in the metadata's order
    bool is_new;
};

/// Throws WrongUse where table, columns and options do not fit.
LoadTable open_load_table(pqxx::transaction_base& work, const LoadTableOptions& options,
                          const std::vector<MetadataColumn>& columns);

/// Which extractor made the features of a table, by the comment on the column; or nothing.
std::string extractor_of(pqxx::transaction_base& work, const std::string& quoted);

struct DistanceKind {
    std::string operator_name;
    std::string op_class;
};

/// What compares the features of an extractor. Throws WrongUse when it cannot be used.
DistanceKind distance_of(pqxx::transaction_base& work, const std::string& extractor);

}  // namespace lookalike
