// Measures an index that was created on an empty table while the table gets its rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lookalike {

/// The names of what can happen to a table, in the order in which it is measured.
const std::vector<std::string>& all_histories();

struct GrowthRunOptions {
    std::filesystem::path set;  ///< folder of the set
    std::filesystem::path json;
    std::vector<std::string> histories = all_histories();
    uint32_t rounds = 5;
    uint32_t row_limit = UINT32_MAX;
    uint32_t query_limit = 1000;
    uint32_t client_count = 4;  ///< of single inserts
    double seconds = 5;         ///< for one index at one setting in one round
};

/// Throws std::exception.
void run_growth_bench(const GrowthRunOptions& options);

}  // namespace lookalike
