#include "core/measure/nearest_rows.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "core/measure/query_kernel.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

constexpr uint32_t kFewestToCount = 128;

/// How many of some rows have keys of which stretch.
class KeyBuckets {
  public:
    KeyBuckets(const NearRow* rows, uint32_t count) {
        uint32_t highest = 0;
        for (uint32_t i = 0; i < count; ++i) {
            lowest_ = std::min(lowest_, in_order(rows[i].key));
            highest = std::max(highest, in_order(rows[i].key));
        }
        shift_ = std::max(0, static_cast<int>(std::bit_width(highest - lowest_)) - kBits);
        for (uint32_t i = 0; i < count; ++i)
            ++counts_[bucket(rows[i].key)];
    }

    uint32_t bucket(float key) const { return (in_order(key) - lowest_) >> shift_; }

    /// That of the row which has so many before it. REQUIRES: there is one.
    uint32_t bucket_of(uint32_t rank) const {
        uint32_t bucket = 0;
        while (rank >= counts_[bucket])
            rank -= counts_[bucket++];
        return bucket;
    }

  private:
    static constexpr int kBits = 8;

    /// A number that orders as the key does.
    static uint32_t in_order(float key) {
        const auto bits = std::bit_cast<uint32_t>(key);
        return bits >> 31 ? ~bits : bits | 0x80000000;
    }

    uint32_t lowest_ = std::numeric_limits<uint32_t>::max();
    int shift_ = 0;
    uint32_t counts_[1 << kBits] = {};
};

}  // namespace

// Places behind the last query have a limit that nothing is below.
NearestRows::NearestRows(size_t query_count, uint32_t wanted, bool skips_zero)
    : wanted_(wanted),
      skips_zero_(skips_zero),
      counts_(query_count),
      rows_(std::make_unique_for_overwrite<NearRow[]>(query_count * places(wanted))),
      below_(query_block_count(query_count)) {
    limits_.assign(query_count, std::numeric_limits<float>::infinity());
    limits_.resize(below_.size() * kQueriesSideBySide, -std::numeric_limits<float>::infinity());
}

void NearestRows::pass(const float* keys, uint32_t list, const uint32_t* among) {
    find_below(keys, limits_.data(), below_.size(), below_.data());
    for (size_t i = 0; among != nullptr && i < below_.size(); ++i)
        below_[i] &= among[i];
    for_each_bit(below_, [&](size_t query) { keep(query, {keys[query], list}); });
}

void NearestRows::keep(size_t query, NearRow row) {
    if (skips_zero_ && row.key == 0) return;
    uint32_t& count = counts_[query];
    rows_of(query)[count++] = row;
    if (count == places(wanted_)) drop_farthest(query);
}

void NearestRows::drop_farthest(size_t query) {
    limits_[query] = keep_nearest(rows_of(query), counts_[query]);
    counts_[query] = wanted_;
}

// Puts the wanted_ nearest of so many rows first, and returns the key of the farthest of them.
// std::nth_element mispredicts a branch for every other row. Here rows are counted by the highest
// bits of their keys, which has no branch, and it is left with the few that have the wanted-th's.
float NearestRows::keep_nearest(NearRow* rows, uint32_t count) {
    uint32_t kept = 0;
    uint32_t left = count;
    NearRow* among = rows;
    if (count >= kFewestToCount) {
        const KeyBuckets buckets(rows, count);
        const uint32_t bucket = buckets.bucket_of(wanted_ - 1);
        middle_.resize(places(wanted_));
        left = 0;
        for (uint32_t i = 0; i < count; ++i) {
            const NearRow row = rows[i];
            const uint32_t its = buckets.bucket(row.key);
            rows[kept] = row;
            kept += its < bucket;
            middle_[left] = row;
            left += its == bucket;
        }
        among = middle_.data();
    }
    const uint32_t last = wanted_ - kept - 1;
    std::nth_element(among, among + last, among + left);
    if (among != rows) std::copy_n(among, last + 1, rows + kept);
    return among[last].key;
}

std::span<const NearRow> NearestRows::sorted(size_t query) {
    if (counts_[query] > wanted_) drop_farthest(query);
    NearRow* rows = rows_of(query);
    // It may have been asked for before.
    if (!std::is_sorted(rows, rows + counts_[query])) std::sort(rows, rows + counts_[query]);
    return {rows, counts_[query]};
}

}  // namespace lookalike
