// The loops that look at every entry of a probed list, one set for each instruction set.
//
// Entries come in blocks of 32. The codes of a block stand dimension-major: 16 bytes for each group
// of four dimensions, holding one nibble an entry, so that one byte shuffle answers 16 entries.
// Entry e has byte 2 * (e % 8) + (e / 8) % 2 of a group, the low nibble for e < 16, else the high
// one; bit i of the nibble is the sign of dimension 4 * group + i, set when positive.
//
// Pointers need no alignment except where said.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

constexpr size_t kBlockEntries = 32;
constexpr size_t kDimsPerGroup = 4;
constexpr size_t kGroupBytes = kBlockEntries * kDimsPerGroup / 8;

/// Writes the code of one entry over whatever stood there. `signs` is a bit a dimension, dimension
/// d at bit d % 8 of byte d / 8. `group_count` groups of `block_codes` and 4 * group_count signs
/// are used. REQUIRES: group_count even.
void set_code(uint8_t* block_codes, size_t entry, const uint8_t* signs, size_t group_count);

/// The reverse of set_code.
void get_code(const uint8_t* block_codes, size_t entry, uint8_t* signs, size_t group_count);

/// Writes the 16 entries of each group of the table that scan_block() takes: the group's elements
/// of `query`, each added where its bit of the nibble is set and subtracted where it is not, less
/// the least such sum, times `per_unit`, rounded, at most 255. The same on all instruction sets.
void fill_scan_table(const float* query, size_t group_count, float per_unit, uint8_t* table);

/// The columns of a block: 32 floats each.
struct ScanColumns {
    const float* base;
    const float* scale;
    const float* error;
};

/// What turns sums into bounds of keys, for one query and one list. The sum of an entry is that of
/// the table's entries which its nibbles select.
///   bound = (base + list_term) - scale * (offset + step * sum) - error * gain
struct ScanTerms {
    float list_term;
    float gain;
    float offset;
    float step;
};

/// The bounds of a block. `table` has 16 bytes a group. REQUIRES: group_count a multiple of 4.
/// A bound may be infinite or NaN when a query or an entry is too long for float arithmetic.
/// Returns up_to(bounds, limit).
uint32_t scan_block(const uint8_t* table, const uint8_t* codes, size_t group_count,
                    const ScanColumns& columns, const ScanTerms& terms, float limit,
                    float bounds[kBlockEntries]);

/// Bit e is set unless bounds[e] > limit: NaN is not.
uint32_t up_to(const float bounds[kBlockEntries], float limit);

/// For binary metrics, whose entries are plain rows of bits, `stride` bytes apart. Adds to
/// different[e] how many bits differ between `query` and row e, and to both[e] how many are set in
/// both, over `bytes` bytes of each. `both` may be null.
void add_bit_counts(const uint8_t* query, const uint8_t* rows, size_t stride, size_t bytes,
                    uint32_t different[kBlockEntries], uint32_t both[kBlockEntries]);

/// The key of a Jaccard distance, rounded down. Its exact value is 1 - both / (both + different),
/// and 1 where both == 0.
float jaccard_key(uint32_t both, uint32_t different);

}  // namespace lookalike
