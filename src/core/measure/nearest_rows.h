// Keeps for each of some queries the nearest of the rows that pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace lookalike {

/// A row near a query: row_key() of the two, and the row's list.
struct NearRow {
    float key;
    uint32_t list;
    bool operator<(const NearRow& other) const { return key < other.key; }
};

class NearestRows {
  public:
    /// Of each query `wanted` rows. `skips_zero`: a row of key 0 is the query itself.
    NearestRows(size_t query_count, uint32_t wanted, bool skips_zero);

    /// At most.
    static constexpr size_t bytes_per_query(uint32_t wanted) {
        return places(wanted) * sizeof(NearRow) + sizeof(float) + sizeof(uint32_t);
    }

    /// A row passes all queries, keys[i] from the i-th. Bits of `among`: the queries that count.
    /// Both have places for whole blocks (query_kernel.h).
    void pass(const float* keys, uint32_t list, const uint32_t* among = nullptr);

    /// A row passes one query.
    void pass(size_t query, NearRow row) {
        if (row.key < limits_[query]) keep(query, row);
    }

    /// Rows that are as far or farther are not kept.
    float limit(size_t query) const { return limits_[query]; }

    /// The nearest first.
    std::span<const NearRow> sorted(size_t query);

  private:
    // More than wanted are kept for a while: to find the nearest of many once is quicker than to
    // find the farthest each time.
    static constexpr size_t places(uint32_t wanted) { return wanted + wanted / 4 + 8; }
    void keep(size_t query, NearRow row);
    void drop_farthest(size_t query);
    float keep_nearest(NearRow* rows, uint32_t count);
    NearRow* rows_of(size_t query) { return rows_.get() + query * places(wanted_); }

    uint32_t wanted_;
    bool skips_zero_;
    std::vector<float> limits_;
    std::vector<uint32_t> counts_;
    std::unique_ptr<NearRow[]> rows_;
    std::vector<uint32_t> below_;  // bits
    std::vector<NearRow> middle_;  // room
};

}  // namespace lookalike
