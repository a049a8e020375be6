// Measures filtered searches of the systems that a server has on one set, taking turns.
#pragma once

#include <cstdint>
#include <filesystem>

namespace lookalike {

struct FilterRunOptions {
    std::filesystem::path set;      ///< folder of the set
    std::filesystem::path results;  ///< gets kFilterResults/SET
    bool reuse = false;             ///< tables and indexes of an earlier run, where they are there
    uint32_t rounds = 3;
    uint32_t row_limit = UINT32_MAX;
    uint32_t query_count = 200;  ///< of a cell
    double seconds = 12;         ///< for one system in one cell, in all rounds together
};

/// Throws std::exception.
void run_filter_bench(const FilterRunOptions& options);

}  // namespace lookalike
