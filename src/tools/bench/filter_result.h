// What was measured of filtered searches on one set; kept as a text file between measuring and
// reporting.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lookalike {

/// The systems, as tables and plots name them.
constexpr const char* kDefaultChoice = "lookalike";
constexpr const char* kFilterIndex = "lookalike, filter index";
constexpr const char* kPlainIndex = "lookalike, plain index";
constexpr const char* kExact = "exact, btree";
constexpr const char* kPgvector = "pgvector HNSW";
constexpr const char* kPgvectorPartial = "pgvector HNSW, partial";

/// One system in one cell.
struct FilterMeasure {
    std::string system;
    std::string plan;   ///< what it read
    double filled = 0;  ///< share of queries with enough rows to find that filled LIMIT
    double queries_per_second = 0;
    double p50_us = 0;
    double p99_us = 0;
    uint32_t timeout_count = 0;
    std::vector<double> recalls = {};  ///< of the first queries, as many as it was asked

    double recall() const { return recall(recalls.size()); }

    /// Mean of the first `query_count`. REQUIRES: that many were asked. 0 for none.
    double recall(size_t query_count) const;

    bool operator==(const FilterMeasure&) const = default;
};

/// A condition that passes about one row in `value_count`.
struct FilterCell {
    std::string attribute;  ///< "independent", "correlated, near" or "correlated, far"
    uint32_t value_count = 0;
    double match_count = 0;  ///< rows that pass, median of the queries
    std::vector<FilterMeasure> measures;

    bool operator==(const FilterCell&) const = default;
};

/// What a setting of lookalike.recall gave, without a filter.
struct RecallPoint {
    double target = 0;
    double recall = 0;

    bool operator==(const RecallPoint&) const = default;
};

struct FilterResult {
    std::string description;  ///< versions and settings, for people
    uint32_t row_count = 0;
    std::vector<FilterCell> cells;
    std::vector<RecallPoint> recall_points;

    bool operator==(const FilterResult&) const = default;
};

/// Nothing when the system has no part in the cell.
const FilterMeasure* find_measure(const FilterCell& cell, const std::string& system);

/// Throw std::runtime_error.
void write_filter_result(const std::filesystem::path& file, const FilterResult& result);
FilterResult read_filter_result(const std::filesystem::path& file);

}  // namespace lookalike
