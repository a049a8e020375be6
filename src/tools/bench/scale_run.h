// Measures how the cost of an index grows with its table: a build and searches at several sizes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lookalike {

struct ScaleRunOptions {
    std::filesystem::path set;  ///< folder of the set
    std::filesystem::path json;
    std::vector<uint32_t> sizes = {100000, 1000000, 10000000};
    /// A program that restarts the server and takes its files from memory; its argument is the name
    /// of a state. Without it only a warm server is measured.
    std::string restart;
    std::vector<std::string> states = {"cold"};  ///< to restart into, at each size
    double recall = 0.95;
    std::string maintenance_work_mem = "1GB";
    uint32_t rounds = 3;
    uint32_t query_limit = 1000;
    double seconds = 30;  ///< for one round
};

/// Throws std::exception.
void run_scale_bench(const ScaleRunOptions& options);

}  // namespace lookalike
