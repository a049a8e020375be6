#include "core/candidate_window.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "core/no_postgres.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/candidate_window.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Bit i is set when bounds[i] > limit.
uint32_t above(const float* bounds, float limit) {
    const HWY_CAPPED(float, 16) floats;
    const auto limits = hn::Set(floats, limit);
    uint32_t above = 0;
    for (size_t i = 0; i < 32; i += hn::Lanes(floats)) {
        uint8_t bits[8] = {};
        hn::StoreMaskBits(floats, hn::Gt(hn::LoadU(floats, bounds + i), limits), bits);
        above |= (uint32_t{bits[0]} | uint32_t{bits[1]} << 8) << i;
    }
    return above;
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(above);

constexpr float kInfinity = std::numeric_limits<float>::infinity();

constexpr size_t kSampleSize = 64;
constexpr size_t kFewestToSample = 128;
constexpr size_t kFirstSorted = 64;

/// A bound that at least `wanted` of the candidates, and few more, probably do not exceed.
float guess_bound(std::span<const Candidate> candidates, size_t wanted) {
    const size_t count = candidates.size();
    float sample[kSampleSize];
    for (size_t i = 0; i < kSampleSize; ++i)
        sample[i] = candidates[i * count / kSampleSize].bound;
    // Two standard deviations above the expected rank.
    const double share = static_cast<double>(wanted) / static_cast<double>(count);
    const double deviation = std::sqrt(kSampleSize * share * (1 - share));
    const size_t rank = static_cast<size_t>(kSampleSize * share + 2 * deviation);
    float* const guess = sample + std::min(rank, kSampleSize - 1);
    std::nth_element(sample, guess, sample + kSampleSize);
    return *guess;
}

/// Moves the best to the front: at least `wanted`, at most `most` of them; returns how many.
/// std::nth_element mispredicts a branch for every other candidate, which takes as long as scanning
/// a list; this has no branch to mispredict, and falls back on it after a bad guess.
/// REQUIRES: wanted <= most.
size_t split(std::span<Candidate> candidates, size_t wanted, size_t most) {
    if (candidates.size() <= wanted) return candidates.size();
    if (candidates.size() >= kFewestToSample) {
        const float bound = guess_bound(candidates, wanted);
        size_t low = 0;
        for (Candidate& candidate : candidates) {
            // Member by member: a copy of 16 bytes would wait for the stores of 4 and 8 before it.
            std::swap(candidate.bound, candidates[low].bound);
            std::swap(candidate.id, candidates[low].id);
            low += candidates[low].bound <= bound;
        }
        if (low >= wanted && low <= most) return low;
    }
    std::nth_element(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(wanted - 1),
                     candidates.end());
    return wanted;
}

}  // namespace

CandidateWindow::CandidateWindow(size_t capacity) {
    clear(capacity);
}

void CandidateWindow::clear(size_t capacity) {
    capacity_ = capacity;
    candidates_.resize(2 * capacity + kBlock);
    size_ = 0;
    sorted_count_ = 0;
    highest_ = kInfinity;
    has_dropped_ = false;
}

void CandidateWindow::push_block(const float bounds[32], uint32_t valid, uint64_t first_id) {
    uint32_t left = valid & ~HWY_DYNAMIC_DISPATCH(above)(bounds, highest_);
    if (left == 0) return;
    Candidate* next = candidates_.data() + size_;
    for (; left != 0; left &= left - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(left));
        *next++ = {.bound = std::isnan(bounds[i]) ? -kInfinity : bounds[i], .id = first_id + i};
    }
    size_ = static_cast<size_t>(next - candidates_.data());
    sorted_count_ = 0;
    if (size_ > 2 * capacity_) prune();
}

void CandidateWindow::push(float bound, uint64_t id) {
    if (bound > highest_) return;
    candidates_[size_++] = {.bound = std::isnan(bound) ? -kInfinity : bound, .id = id};
    sorted_count_ = 0;
    if (size_ > 2 * capacity_) prune();
}

/// Keeps at least `capacity`. More is harmless: best() hands out no more than that.
void CandidateWindow::prune() {
    const std::span<Candidate> all(candidates_.data(), size_);
    size_ = split(all, capacity_, capacity_ + capacity_ / 2);
    has_dropped_ = true;
    highest_ = all[0].bound;
    for (const Candidate& candidate : all.first(size_))
        highest_ = std::max(highest_, candidate.bound);
}

std::span<const Candidate> CandidateWindow::best(size_t count) {
    count = std::min({count, capacity_, size_});
    while (sorted_count_ < count) {
        const std::span<Candidate> rest(candidates_.data() + sorted_count_, size_ - sorted_count_);
        const size_t wanted = std::max(count - sorted_count_, kFirstSorted);
        const size_t part = split(rest, wanted, size_);
        std::sort(rest.begin(), rest.begin() + static_cast<ptrdiff_t>(part));
        sorted_count_ += part;
    }
    return {candidates_.data(), count};
}

Candidate CandidateWindow::limit() {
    if (is_complete()) return {.bound = kInfinity, .id = std::numeric_limits<uint64_t>::max()};
    return best(capacity_).back();
}

}  // namespace lookalike
#endif  // HWY_ONCE
