#include "core/local/bit_distances.h"

#include <cstring>

#include "core/no_postgres.h"

// Highway compiles this file once for each instruction set, here also for the one that counts bits
// of vectors (see distance_kernels.cpp).
#define HWY_WANT_AVX3_DL
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/local/bit_distances.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Shorts = hn::CappedTag<uint16_t, BitBlock::kFeatures>;
using Vector = hn::Vec<Shorts>;

constexpr size_t kWords = BitBlock::kWords;
constexpr size_t kFeatures = BitBlock::kFeatures;
constexpr size_t kBytes = kWords * sizeof(uint16_t);

// Bits are counted in bytes where those are what an instruction set counts best.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET <= HWY_AVX3_DL
using Counts = Shorts;
HWY_INLINE Vector sum_of_lanes(Vector counts) {
    return counts;
}
#else
using Counts = hn::Repartition<uint8_t, Shorts>;
HWY_INLINE Vector sum_of_lanes(hn::Vec<Counts> counts) {
    const Vector pairs = hn::BitCast(Shorts(), counts);
    return hn::Add(hn::And(pairs, hn::Set(Shorts(), 0xff)), hn::ShiftRight<8>(pairs));
}
#endif

/// Bit by bit `yes` where that of `which` is set. Highway's choice takes whole lanes on older sets.
HWY_INLINE Vector choose_bits(Vector which, Vector yes, Vector no) {
#if HWY_TARGET <= HWY_AVX3
    return hn::IfVecThenElse(which, yes, no);
#else
    return hn::OrAnd(hn::AndNot(which, no), which, yes);
#endif
}

/// Highway has no least of all lanes of 16 bits on every target.
HWY_INLINE uint16_t least_lane(Vector lanes) {
#if HWY_TARGET == HWY_SCALAR
    return hn::GetLane(lanes);
#else
    const hn::Repartition<uint32_t, Shorts> pairs;
    const auto both = hn::BitCast(pairs, lanes);
    const auto least = hn::Min(hn::And(both, hn::Set(pairs, UINT16_MAX)), hn::ShiftRight<16>(both));
    return static_cast<uint16_t>(hn::GetLane(hn::MinOfLanes(pairs, least)));
#endif
}

/// Two words of bits that differ, and the parity of those before, are a parity and a carry that
/// counts twice: two to be counted instead of three. With parities of all words up to the first,
/// the second of the two words, called before, between and after, the carry is
/// between ? ~after : before. Every second of the `after` comes here with its bits turned, so that
/// this is a plain choice; then every second carry has its bits turned.
HWY_INLINE Vector differing_bits(const Vector* own, const BitBlock& block, size_t first) {
    const auto differing = [&](size_t word) {
        return hn::Xor(own[word], hn::Load(Shorts(), block.words[word] + first));
    };
    const auto bits = [](Vector words) {
        return hn::PopulationCount(hn::BitCast(Counts(), words));
    };
    auto carries = hn::Zero(Counts());
    Vector before = differing(0);
    for (size_t word = 2; word < kWords; word += 2) {
        const Vector after = differing(word);
        const auto carry = bits(choose_bits(differing(word - 1), after, before));
        carries = word % 4 == 2 ? hn::Add(carries, carry) : hn::Sub(carries, carry);
        before = after;
    }
    // The bits of three carries and of the last parity are turned: 7 times those of a lane in all.
    constexpr auto kTurned = 7 * 8 * sizeof(hn::TFromD<Counts>);
    const auto ones = hn::Sub(bits(differing(kWords - 1)), bits(before));
    return sum_of_lanes(
        hn::Add(hn::Add(carries, carries), hn::Add(ones, hn::Set(Counts(), kTurned))));
}

/// As differing_bits() needs the words of the one descriptor.
HWY_INLINE void prepare_own(const uint8_t* HWY_RESTRICT descriptor, Vector* own) {
    uint16_t words[kWords];
    std::memcpy(words, descriptor, sizeof(words));
    for (size_t word = 1; word + 1 < kWords; ++word)
        words[word] ^= words[word - 1];
    for (size_t word = 2; word < kWords; word += 4)
        words[word] = static_cast<uint16_t>(~words[word]);
    for (size_t word = 0; word < kWords; ++word)
        own[word] = hn::Set(Shorts(), words[word]);
}

uint16_t distances_to_blocks(const uint8_t* HWY_RESTRICT descriptor,
                             const BitBlock* HWY_RESTRICT blocks, size_t count,
                             uint16_t* HWY_RESTRICT distances) {
    const Shorts shorts;
    const size_t lanes = hn::Lanes(shorts);
    Vector own[kWords];
    prepare_own(descriptor, own);
    const auto put = [&](size_t i) {
        const Vector found = differing_bits(own, blocks[i / kFeatures], i % kFeatures);
        hn::StoreU(found, shorts, distances + i);
        return found;
    };
    Vector leasts = hn::Set(shorts, UINT16_MAX);
    size_t i = 0;
    for (; i + lanes <= count; i += lanes)
        leasts = hn::Min(leasts, put(i));
    if (i < count)
        leasts = hn::IfThenElse(hn::FirstN(shorts, count - i), hn::Min(leasts, put(i)), leasts);
    return least_lane(leasts);
}

#if HWY_TARGET != HWY_SCALAR
constexpr size_t kSide = 8;

/// The words of eight descriptors, eight from `first_word` on, to where `first_feature` is. To
/// interleave a matrix' upper half with its lower one, three times, transposes it.
HWY_INLINE void transpose(const uint8_t* HWY_RESTRICT descriptors, size_t first_word,
                          BitBlock* block, size_t first_feature) {
    const hn::Full128<uint16_t> eight;
    const hn::Full128<uint8_t> octets;
    hn::Vec<decltype(eight)> rows[kSide], next[kSide];
    for (size_t i = 0; i < kSide; ++i)
        rows[i] = hn::BitCast(eight, hn::LoadU(octets, descriptors + i * kBytes + 2 * first_word));
    for (int round = 0; round < 3; ++round) {
        for (size_t i = 0; i < kSide / 2; ++i) {
            next[2 * i] = hn::InterleaveLower(eight, rows[i], rows[i + kSide / 2]);
            next[2 * i + 1] = hn::InterleaveUpper(eight, rows[i], rows[i + kSide / 2]);
        }
        for (size_t i = 0; i < kSide; ++i)
            rows[i] = next[i];
    }
    for (size_t i = 0; i < kSide; ++i)
        hn::Store(rows[i], eight, block->words[first_word + i] + first_feature);
}
#endif

void put_words(const uint8_t* HWY_RESTRICT descriptors, size_t count, BitBlock* block) {
    size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
    for (; i + kSide <= count; i += kSide)
        for (size_t word = 0; word < kWords; word += kSide)
            transpose(descriptors + i * kBytes, word, block, i);
#endif
    for (; i < count; ++i)
        for (size_t word = 0; word < kWords; ++word)
            std::memcpy(&block->words[word][i], descriptors + i * kBytes + 2 * word, 2);
}

void descriptors_to_blocks(const uint8_t* HWY_RESTRICT descriptors, size_t count,
                           BitBlock* HWY_RESTRICT blocks) {
    const Shorts shorts;
    for (size_t i = 0; i < count; i += kFeatures, ++blocks) {
        put_words(descriptors + i * kBytes, HWY_MIN(count - i, kFeatures), blocks);
        for (size_t first = 0; first < kFeatures; first += hn::Lanes(shorts)) {
            Vector parity = hn::Load(shorts, blocks->words[0] + first);
            for (size_t word = 1; word + 1 < kWords; ++word) {
                parity = hn::Xor(parity, hn::Load(shorts, blocks->words[word] + first));
                hn::Store(parity, shorts, blocks->words[word] + first);
            }
        }
    }
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(distances_to_blocks);
HWY_EXPORT(descriptors_to_blocks);

}  // namespace

void fill_bit_blocks(const uint8_t* descriptors, uint32_t count, BitBlock* blocks) {
    HWY_DYNAMIC_DISPATCH(descriptors_to_blocks)(descriptors, count, blocks);
}

uint16_t bit_distances(const uint8_t* descriptor, const BitBlock* blocks, uint32_t count,
                       uint16_t* distances) {
    return HWY_DYNAMIC_DISPATCH(distances_to_blocks)(descriptor, blocks, count, distances);
}

}  // namespace lookalike
#endif
