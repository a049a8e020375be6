// Gathers different rows, shuffles them by a fixed seed and writes the files of a set.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tools/bench/dataset.h"

namespace lookalike {

class RowPool {
  public:
    /// REQUIRES for kByte: every value added is a whole number in [0, 255].
    RowPool(uint32_t dims, RowElement element) : element_(element) { rows_.dims = dims; }

    /// Drops the row when an identical one is here, or when it is all zero.
    void add(std::span<const float> row);
    uint32_t count() const { return rows_.count(); }

    /// Shuffles, holds `query_count` and then `insert_count` rows back, and writes at most
    /// `base_limit` of the others. Throws std::runtime_error when that leaves no base row.
    struct Split {
        uint32_t base_limit;
        uint32_t query_count;
        uint32_t insert_count;
    };
    void write(const std::filesystem::path& folder, const std::string& metric, const Split& split);

  private:
    RowElement element_;
    Rows rows_;
    std::unordered_set<uint64_t> seen_;  ///< hashes: a false match only drops a row
};

/// 0 to count - 1 in an order that is always the same.
std::vector<uint32_t> shuffled_order(uint32_t count);

/// Writes a set whose parts are already given.
void write_dataset(const std::filesystem::path& folder, const std::string& metric,
                   const Dataset& set, RowElement element);

}  // namespace lookalike
