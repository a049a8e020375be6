// Measures the systems that a server has on one set, taking turns.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/bench/dataset.h"

namespace lookalike {

struct BenchRunOptions {
    std::filesystem::path set;            ///< folder of the set
    std::filesystem::path results;        ///< gets SET/SYSTEM, one file a system
    std::vector<std::string> extensions;  ///< empty: all that the server has
    bool reuse = false;  ///< tables and indexes of an earlier run, where they are there
    uint32_t rounds = 3;
    uint32_t row_limit = UINT32_MAX;
    uint32_t query_limit = kDefaultQueryLimit;
    uint32_t insert_limit = 4000;
};

/// Throws std::exception.
void run_bench(const BenchRunOptions& options);

}  // namespace lookalike
