// What was measured while a table grew with its index: as JSON, and as tables for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lookalike {

/// One setting of lookalike.recall, on the index that grew and on one that was built on the same
/// rows. Speeds are medians of the rounds.
struct GrowthSearch {
    double setting = 0;
    double grown_per_second = 0;
    double fresh_per_second = 0;
    double ratio =
        0;  ///< queries a second of the former to the latter, median of the rounds' ratios
    double grown_recall = 0;
    double fresh_recall = 0;
};

struct GrowthRecall {
    double setting = 0;
    double recall = 0;
};

/// Of single inserts, seen by their clients.
struct GrowthLatencies {
    uint32_t client_count = 0;  ///< 0: there were none
    double per_second = 0;
    double p50_ms = 0;
    double p99_ms = 0;
    double p999_ms = 0;
    double max_ms = 0;
};

struct GrowthCheckpoint {
    std::string history;
    uint32_t loaded_rows = 0;  ///< since the table was empty
    uint32_t rows = 0;         ///< in the table
    double seconds = 0;        ///< for what was done since the checkpoint before
    double vacuum_seconds = 0;
    uint64_t grown_lists = 0;
    uint64_t fresh_lists = 0;  ///< 0 where no index was built
    uint64_t grown_bytes = 0;
    uint64_t fresh_bytes = 0;
    std::vector<GrowthSearch> searches = {};
    std::vector<GrowthRecall> recalls = {};
    GrowthLatencies inserts = {};
};

/// COPY into a table with an empty index, against COPY and then CREATE INDEX.
struct GrowthLoad {
    uint32_t rows = 0;
    double into_index_seconds = 0;
    double copy_seconds = 0;
    double build_seconds = 0;
};

struct GrowthResult {
    std::string set;
    std::string server;
    uint32_t dims = 0;
    uint32_t query_count = 0;
    std::vector<GrowthCheckpoint> checkpoints;
    std::vector<GrowthLoad> loads;
};

/// `per_second` and `client_count` are left to the caller. Zeros for none.
GrowthLatencies summarise_inserts(std::vector<double> latencies_ms);

std::string growth_json(const GrowthResult& result);
std::string growth_tables(const GrowthResult& result);

}  // namespace lookalike
