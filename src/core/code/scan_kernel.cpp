#include "core/code/scan_kernel.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/no_postgres.h"
#include "core/vector/metric.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/code/scan_kernel.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// 256 bytes of at most 255 just fit 16 bits.
constexpr size_t kGroupsPerSum = 256;

#if HWY_TARGET == HWY_SCALAR

void sum_groups(const uint8_t* table, const uint8_t* codes, size_t group_count,
                uint16_t sums[kBlockEntries]) {
    std::fill(sums, sums + kBlockEntries, uint16_t{0});
    for (size_t group = 0; group < group_count; ++group, table += 16, codes += kGroupBytes) {
        for (size_t i = 0; i < 8; ++i) {
            sums[i] += table[codes[2 * i] & 15];
            sums[8 + i] += table[codes[2 * i + 1] & 15];
            sums[16 + i] += table[codes[2 * i] >> 4];
            sums[24 + i] += table[codes[2 * i + 1] >> 4];
        }
    }
}

#else

// Vectors of several 128-bit blocks hold several groups, one in each block. Where their length is
// known only at run time, one block is used.
#undef LOOKALIKE_BLOCKS
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
#define LOOKALIKE_BLOCKS 4
#elif HWY_TARGET == HWY_AVX2
#define LOOKALIKE_BLOCKS 2
#else
#define LOOKALIKE_BLOCKS 1
#endif

using Bytes = hn::FixedTag<uint8_t, 16 * LOOKALIKE_BLOCKS>;
using Words = hn::Repartition<uint16_t, Bytes>;
using WordVector = hn::Vec<Words>;

/// Adds up the 128-bit blocks of each vector and stores the four sums one after the other.
HWY_INLINE void store_block_sums(WordVector a, WordVector b, WordVector c, WordVector d,
                                 uint16_t* sums) {
    const Words words;
#if LOOKALIKE_BLOCKS == 4
    const auto ac = hn::Add(hn::ConcatLowerLower(words, c, a), hn::ConcatUpperUpper(words, c, a));
    const auto bd = hn::Add(hn::ConcatLowerLower(words, d, b), hn::ConcatUpperUpper(words, d, b));
    const auto even = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(bd), ac);
    const auto odd = hn::OddEvenBlocks(bd, hn::SwapAdjacentBlocks(ac));
    hn::StoreU(hn::Add(even, odd), words, sums);
#elif LOOKALIKE_BLOCKS == 2
    const auto ab = hn::Add(hn::ConcatLowerLower(words, b, a), hn::ConcatUpperUpper(words, b, a));
    const auto cd = hn::Add(hn::ConcatLowerLower(words, d, c), hn::ConcatUpperUpper(words, d, c));
    hn::StoreU(ab, words, sums);
    hn::StoreU(cd, words, sums + 16);
#else
    hn::StoreU(a, words, sums);
    hn::StoreU(b, words, sums + 8);
    hn::StoreU(c, words, sums + 16);
    hn::StoreU(d, words, sums + 24);
#endif
}

/// REQUIRES: group_count a multiple of 4, at most kGroupsPerSum.
HWY_INLINE void sum_groups(const uint8_t* HWY_RESTRICT table, const uint8_t* HWY_RESTRICT codes,
                           size_t group_count, uint16_t* HWY_RESTRICT sums) {
    const Bytes bytes;
    const Words words;
    const auto low_nibble = hn::Set(bytes, 15);
    // Words take two byte sums each: `low` the even byte plus 256 times the odd one, modulo 2^16,
    // and `odd_low` the odd one alone, which later takes itself out again.
    auto low = hn::Zero(words);
    auto odd_low = low;
    auto high = low;
    auto odd_high = low;
    for (size_t i = 0; i < group_count * kGroupBytes; i += hn::Lanes(bytes)) {
        const auto code = hn::LoadU(bytes, codes + i);
        const auto entries = hn::LoadU(bytes, table + i);
        const auto from_low =
            hn::BitCast(words, hn::TableLookupBytes(entries, hn::And(code, low_nibble)));
        const auto from_high =
            hn::BitCast(words, hn::TableLookupBytes(entries, hn::ShiftRight<4>(code)));
        low = hn::Add(low, from_low);
        odd_low = hn::Add(odd_low, hn::ShiftRight<8>(from_low));
        high = hn::Add(high, from_high);
        odd_high = hn::Add(odd_high, hn::ShiftRight<8>(from_high));
    }
    low = hn::Sub(low, hn::ShiftLeft<8>(odd_low));
    high = hn::Sub(high, hn::ShiftLeft<8>(odd_high));
    store_block_sums(low, odd_low, high, odd_high, sums);
}

#endif

using Floats = HWY_CAPPED(float, 16);

/// A bit for each lane that is above `limits`.
HWY_INLINE uint32_t bits_above(hn::Vec<Floats> bounds, hn::Vec<Floats> limits) {
    uint8_t bits[8] = {};
    hn::StoreMaskBits(Floats(), hn::Gt(bounds, limits), bits);
    return uint32_t{bits[0]} | uint32_t{bits[1]} << 8;
}

/// Returns up_to().
template <class Sum>
HWY_INLINE uint32_t finish(const Sum* HWY_RESTRICT sums, const ScanColumns& columns,
                           const ScanTerms& terms, float limit, float* HWY_RESTRICT bounds) {
    const Floats floats;
    const hn::RebindToSigned<Floats> integers;
    const hn::Rebind<Sum, Floats> sum_lanes;
    const auto list_term = hn::Set(floats, terms.list_term);
    const auto gain = hn::Set(floats, terms.gain);
    const auto offset = hn::Set(floats, terms.offset);
    const auto step = hn::Set(floats, terms.step);
    const auto limits = hn::Set(floats, limit);
    uint32_t above = 0;
    for (size_t i = 0; i < kBlockEntries; i += hn::Lanes(floats)) {
        const auto loaded = hn::LoadU(sum_lanes, sums + i);
        hn::Vec<decltype(integers)> integer;
        if constexpr (sizeof(Sum) == 2) {
            integer = hn::PromoteTo(integers, loaded);
        } else {
            integer = hn::BitCast(integers, loaded);
        }
        const auto product = hn::MulAdd(hn::ConvertTo(floats, integer), step, offset);
        auto bound = hn::Add(hn::LoadU(floats, columns.base + i), list_term);
        bound = hn::NegMulAdd(hn::LoadU(floats, columns.scale + i), product, bound);
        bound = hn::NegMulAdd(hn::LoadU(floats, columns.error + i), gain, bound);
        hn::StoreU(bound, floats, bounds + i);
        above |= bits_above(bound, limits) << i;
    }
    return ~above;
}

uint32_t up_to(const float* bounds, float limit) {
    const Floats floats;
    const auto limits = hn::Set(floats, limit);
    uint32_t above = 0;
    for (size_t i = 0; i < kBlockEntries; i += hn::Lanes(floats))
        above |= bits_above(hn::LoadU(floats, bounds + i), limits) << i;
    return ~above;
}

void add_table_sums(const uint8_t* table, const uint8_t* codes, size_t group_count,
                    uint32_t* sums) {
    for (size_t first = 0; first < group_count; first += kGroupsPerSum) {
        const size_t count = std::min(kGroupsPerSum, group_count - first);
        HWY_ALIGN uint16_t part[kBlockEntries];
        sum_groups(table + 16 * first, codes + kGroupBytes * first, count, part);
        for (size_t i = 0; i < kBlockEntries; ++i)
            sums[i] += part[i];
    }
}

uint32_t scan_block(const uint8_t* table, const uint8_t* codes, size_t group_count,
                    const ScanColumns& columns, const ScanTerms& terms, float limit,
                    float* bounds) {
    if (group_count <= kGroupsPerSum) {
        HWY_ALIGN uint16_t sums[kBlockEntries];
        sum_groups(table, codes, group_count, sums);
        return finish(sums, columns, terms, limit, bounds);
    }
    uint32_t sums[kBlockEntries] = {};
    add_table_sums(table, codes, group_count, sums);
    return finish(sums, columns, terms, limit, bounds);
}

/// Compiled for each target only because older ones lack a popcount instruction.
template <bool kBoth>
HWY_INLINE void add_row_counts(const uint8_t* query, const uint8_t* row, size_t bytes,
                               uint32_t& different, uint32_t& both) {
    uint64_t different_bits = 0;
    uint64_t both_bits = 0;
    const auto add = [&](uint64_t a, uint64_t b) {
        different_bits += static_cast<uint64_t>(std::popcount(a ^ b));
        if constexpr (kBoth) both_bits += static_cast<uint64_t>(std::popcount(a & b));
    };
    uint64_t a = 0;
    uint64_t b = 0;
    size_t i = 0;
    for (; i + 8 <= bytes; i += 8) {
        std::memcpy(&a, query + i, 8);
        std::memcpy(&b, row + i, 8);
        add(a, b);
    }
    for (; i < bytes; ++i)
        add(query[i], row[i]);
    different += static_cast<uint32_t>(different_bits);
    if constexpr (kBoth) both += static_cast<uint32_t>(both_bits);
}

void add_bit_counts(const uint8_t* query, const uint8_t* rows, size_t stride, size_t bytes,
                    uint32_t* different, uint32_t* both) {
    uint32_t unused = 0;
    for (size_t entry = 0; entry < kBlockEntries; ++entry, rows += stride) {
        if (both != nullptr) {
            add_row_counts<true>(query, rows, bytes, different[entry], both[entry]);
        } else {
            add_row_counts<false>(query, rows, bytes, different[entry], unused);
        }
    }
}

// Of an entry's nibble each bit as a sign of its own.
alignas(64) constexpr float kNibbleSigns[kDimsPerGroup][16] = {
    {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1},
    {-1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1, -1, -1, 1, 1},
    {-1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1, 1, 1, 1, 1},
    {-1, -1, -1, -1, -1, -1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1}};

void fill_table(const float* query, size_t group_count, float per_unit, uint8_t* table) {
    const HWY_CAPPED(float, 16) floats;
    const hn::RebindToSigned<decltype(floats)> integers;
    const hn::Rebind<uint8_t, decltype(floats)> bytes;
    const auto highest = hn::Set(floats, 255.0f);
    for (size_t group = 0; group < group_count; ++group, query += kDimsPerGroup, table += 16) {
        const float reach =
            std::fabs(query[0]) + std::fabs(query[1]) + std::fabs(query[2]) + std::fabs(query[3]);
        for (size_t i = 0; i < 16; i += hn::Lanes(floats)) {
            auto sum = hn::Zero(floats);
            for (size_t dim = 0; dim < kDimsPerGroup; ++dim)
                sum = hn::Add(sum, hn::Mul(hn::Set(floats, query[dim]),
                                           hn::LoadU(floats, kNibbleSigns[dim] + i)));
            const auto scaled =
                hn::Mul(hn::Add(sum, hn::Set(floats, reach)), hn::Set(floats, per_unit));
            const auto rounded = hn::Add(scaled, hn::Set(floats, 0.5f));
            const auto fitting = hn::Min(hn::Max(rounded, hn::Zero(floats)), highest);
            hn::StoreU(hn::DemoteTo(bytes, hn::ConvertTo(integers, fitting)), bytes, table + i);
        }
    }
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(scan_block);
HWY_EXPORT(up_to);
HWY_EXPORT(fill_table);
HWY_EXPORT(add_bit_counts);

size_t byte_of_entry(size_t entry) {
    return 2 * (entry % 8) + (entry / 8) % 2;
}

}  // namespace

void set_code(uint8_t* block_codes, size_t entry, const uint8_t* signs, size_t group_count) {
    uint8_t* byte = block_codes + byte_of_entry(entry);
    const unsigned shift = entry < 16 ? 0 : 4;
    for (size_t group = 0; group < group_count; ++group, byte += kGroupBytes) {
        const unsigned nibble = (signs[group / 2] >> (group % 2 * 4)) & 15u;
        *byte = static_cast<uint8_t>((*byte & ~(15u << shift)) | (nibble << shift));
    }
}

void get_code(const uint8_t* block_codes, size_t entry, uint8_t* signs, size_t group_count) {
    const uint8_t* byte = block_codes + byte_of_entry(entry);
    const unsigned shift = entry < 16 ? 0 : 4;
    std::fill(signs, signs + (group_count + 1) / 2, uint8_t{0});
    for (size_t group = 0; group < group_count; ++group, byte += kGroupBytes) {
        const unsigned nibble = (*byte >> shift) & 15u;
        signs[group / 2] = static_cast<uint8_t>(signs[group / 2] | nibble << (group % 2 * 4));
    }
}

uint32_t scan_block(const uint8_t* table, const uint8_t* codes, size_t group_count,
                    const ScanColumns& columns, const ScanTerms& terms, float limit,
                    float bounds[kBlockEntries]) {
    return HWY_DYNAMIC_DISPATCH(scan_block)(table, codes, group_count, columns, terms, limit,
                                            bounds);
}

void fill_scan_table(const float* query, size_t group_count, float per_unit, uint8_t* table) {
    HWY_DYNAMIC_DISPATCH(fill_table)(query, group_count, per_unit, table);
}

uint32_t up_to(const float bounds[kBlockEntries], float limit) {
    return HWY_DYNAMIC_DISPATCH(up_to)(bounds, limit);
}

void add_bit_counts(const uint8_t* query, const uint8_t* rows, size_t stride, size_t bytes,
                    uint32_t different[kBlockEntries], uint32_t both[kBlockEntries]) {
    HWY_DYNAMIC_DISPATCH(add_bit_counts)(query, rows, stride, bytes, different, both);
}

float jaccard_key(uint32_t both, uint32_t different) {
    if (both == 0) return 1;
    return round_down(1 - static_cast<double>(both) / (static_cast<double>(both) + different));
}

}  // namespace lookalike
#endif  // HWY_ONCE
