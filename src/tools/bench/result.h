// What was measured of one system on one set; kept as a text file between measuring and reporting.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lookalike {

/// One setting of a system's knob. Latencies are those of single queries, seen by the client.
struct BenchPoint {
    uint32_t client_count = 1;
    uint32_t knob = 0;
    double recall = 0;
    double queries_per_second = 0;
    double p50_us = 0;
    double p99_us = 0;
};

/// Zero stands for "not measured".
struct BenchResult {
    std::string system;       ///< as the tables name it
    std::string description;  ///< version and settings, for people
    double build_seconds = 0;
    uint64_t index_bytes = 0;
    double inserts_per_second = 0;
    std::vector<BenchPoint> points;
};

/// Throw std::runtime_error.
void write_result(const std::filesystem::path& file, const BenchResult& result);
BenchResult read_result(const std::filesystem::path& file);

/// The system at a recall between two measured settings: speeds and latencies are interpolated in
/// their logarithm. Below the least measured recall the least setting stands in (recall is then
/// higher than asked for); above the greatest there is nothing.
std::optional<BenchPoint> at_recall(const BenchResult& result, uint32_t client_count,
                                    double recall);

/// Latencies of queries into p50, p99 and, for one client, queries a second.
/// REQUIRES: not empty.
BenchPoint summarise(std::vector<double> latencies_us);

}  // namespace lookalike
