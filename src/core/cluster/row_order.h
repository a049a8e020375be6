// An order of rows that depends on what they hold, not on where they come: by the hashes of their
// bytes. So it is a random order, too, and what is decided by it is the same however a query reads
// the rows. (Rows that differ and share their hash keep the order in which they come. Of a billion
// rows there are such with a chance of 3 %.)
#pragma once

#include <cstdint>
#include <span>

namespace lookalike {

struct RowKey {
    uint64_t hash;
    uint32_t row;  ///< its number in the partition
};

/// `check` is called now and then and may throw.
void sort_keys(std::span<RowKey> keys, void (*check)());

// For what follows keys are sorted.

/// How many rows differ.
uint64_t distinct_count(std::span<const RowKey> keys);

struct SampledRow {
    uint32_t row;
    uint32_t place;  ///< in the order of the sample, which is that of the keys
};

/// Chooses about as many rows as `sample` holds, of a row that repeats as many as chance has it;
/// all if it holds all; at least one. Returns how many; they lie in the order of `row`.
uint64_t choose_sample(std::span<const RowKey> keys, std::span<SampledRow> sample);

// `clusters` has an element for each row of the partition; those without a key are left alone.

/// Each different row becomes a cluster. Returns how many there are.
uint32_t make_cluster_of_each(std::span<const RowKey> keys, std::span<int32_t> clusters);

/// Numbers `count` clusters anew: from 0, the one with the most rows first, of two the one whose
/// first key comes first; those without rows are left out. Rows below 0 are in none. Returns how
/// many there are. Allocates 16 bytes a cluster.
uint32_t number_by_size(std::span<const RowKey> keys, uint32_t count, std::span<int32_t> clusters);

}  // namespace lookalike
