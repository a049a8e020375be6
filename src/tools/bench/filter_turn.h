// One system's turn in one cell: its queries, as many as fit into the time.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "tools/bench/filter_table.h"
#include "tools/pqxx_versions.h"

namespace lookalike {

struct FilterSystem {
    std::string name;
    const FilterTable* table;
    std::vector<std::string> kinds;  ///< of the indexes that it sees; empty: all kinds
    std::string settings;            ///< SET LOCAL statements
};

/// Gathered over the turns.
struct FilterSamples {
    std::vector<double> queries_per_second;  ///< one a turn
    std::vector<double> latencies_us;
    std::vector<std::vector<uint32_t>> answers;  ///< ids; of the first queries, in order
    std::string plan;                            ///< kind of index, with numbers if it varied
    uint32_t timeout_count = 0;
};

struct FilterTurn {
    const FilterSystem& system;
    std::string attribute;                       ///< indexes about others are hidden
    std::string condition;                       ///< in SQL; $2 is the wanted value
    const std::vector<BinaryParameter>& values;  ///< of the queries
    const std::vector<std::string>& texts;       ///< the same for EXPLAIN
    const AttributeValues& wanted;               ///< one a query; empty: the condition has no $2
    uint32_t query_count;
    double seconds;
};

/// Asks in a transaction that it rolls back, so that hidden indexes return. A query that takes a
/// minute is stopped, counts as one without an answer, and ends the turn. Throws when a system
/// that sees one kind of index does not use it.
void take_turn(pqxx::connection& connection, const FilterTurn& turn, FilterSamples& samples);

}  // namespace lookalike
