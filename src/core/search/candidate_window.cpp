#include "core/search/candidate_window.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/no_postgres.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/search/candidate_window.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// ranks[i]: how many of the values are below values[i]. Whole vectors of both are touched.
void count_below(const float* values, size_t count, uint32_t* ranks) {
    const HWY_CAPPED(float, 16) floats;
    const hn::RebindToUnsigned<decltype(floats)> integers;
    for (size_t i = 0; i < count; i += hn::Lanes(floats)) {
        const auto some = hn::LoadU(floats, values + i);
        auto below = hn::Zero(integers);
        for (size_t j = 0; j < count; ++j) {
            const auto is_below = hn::Lt(hn::Set(floats, values[j]), some);
            below = hn::Sub(below, hn::BitCast(integers, hn::VecFromMask(floats, is_below)));
        }
        hn::StoreU(below, integers, ranks + i);
    }
}

/// Appends the bounds below `limit` of those in `valid`, and those equal to it of those in `ties`
/// as well, with their places; returns how many. NaN becomes the lowest. Whole vectors are written.
size_t append_low(const float* bounds, uint32_t valid, float limit, uint32_t ties, float* low,
                  uint32_t* places) {
    const HWY_CAPPED(float, 16) floats;
    const hn::RebindToUnsigned<decltype(floats)> integers;
    const auto highest = hn::Set(floats, limit);
    const auto lowest = hn::Set(floats, -std::numeric_limits<float>::infinity());
    const auto mask_of = [&](uint64_t bits) {
        return hn::LoadMaskBits(floats, reinterpret_cast<const uint8_t*>(&bits));
    };
    size_t count = 0;
    for (uint32_t i = 0; i < 32; i += static_cast<uint32_t>(hn::Lanes(floats))) {
        const auto loaded = hn::LoadU(floats, bounds + i);
        const auto some = hn::IfThenElse(hn::IsNaN(loaded), lowest, loaded);
        const auto is_low = hn::Or(hn::And(hn::Lt(some, highest), mask_of(valid >> i)),
                                   hn::And(hn::Eq(some, highest), mask_of((valid & ties) >> i)));
        hn::CompressStore(hn::Iota(integers, i), hn::RebindMask(integers, is_low), integers,
                          places + count);
        count += hn::CompressStore(some, is_low, floats, low + count);
    }
    return count;
}

/// Bit i: whether bounds[i] is this bound.
uint32_t equal_to(const float* bounds, float bound) {
    const HWY_CAPPED(float, 16) floats;
    uint32_t equal = 0;
    for (uint32_t i = 0; i < 32; i += static_cast<uint32_t>(hn::Lanes(floats))) {
        uint64_t bits = 0;
        hn::StoreMaskBits(floats, hn::Eq(hn::LoadU(floats, bounds + i), hn::Set(floats, bound)),
                          reinterpret_cast<uint8_t*>(&bits));
        equal |= static_cast<uint32_t>(bits) << i;
    }
    return equal;
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {
namespace {

HWY_EXPORT(count_below);
HWY_EXPORT(append_low);
HWY_EXPORT(equal_to);

constexpr float kInfinity = std::numeric_limits<float>::infinity();

constexpr size_t kSampleSize = 64;
constexpr size_t kFewestToSample = 128;
constexpr size_t kFirstSorted = 64;
constexpr size_t kWholeVector = 16;
constexpr size_t kMostRanked = 512;  // comparing all with all is faster up to here

/// A bound that at least `wanted` of the candidates, and few more, probably do not exceed.
float guess_bound(std::span<const float> bounds, size_t wanted) {
    const size_t count = bounds.size();
    float sample[kSampleSize];
    uint32_t ranks[kSampleSize];
    for (size_t i = 0; i < kSampleSize; ++i)
        sample[i] = bounds[i * count / kSampleSize];
    // Two standard deviations above the expected rank.
    const double share = static_cast<double>(wanted) / static_cast<double>(count);
    const double deviation = std::sqrt(kSampleSize * share * (1 - share));
    const size_t rank = static_cast<size_t>(kSampleSize * share + 2 * deviation);
    HWY_DYNAMIC_DISPATCH(count_below)(sample, kSampleSize, ranks);
    // The highest of those that have at most so many below them.
    float guess = -kInfinity;
    for (size_t i = 0; i < kSampleSize; ++i)
        if (ranks[i] <= rank) guess = std::max(guess, sample[i]);
    return guess;
}

/// Sorting by comparisons mispredicts a branch for every other one. Comparing all with all has
/// none.
void sort(Candidate* first, size_t count) {
    if (count > kMostRanked) {
        std::sort(first, first + count);
        return;
    }
    float bounds[kMostRanked + kWholeVector];
    uint32_t ranks[kMostRanked + kWholeVector];
    Candidate sorted[kMostRanked];
    uint16_t taken[kMostRanked] = {};
    for (size_t i = 0; i < count; ++i)
        bounds[i] = first[i].bound;
    std::fill_n(bounds + count, kWholeVector, kInfinity);
    HWY_DYNAMIC_DISPATCH(count_below)(bounds, count, ranks);
    for (size_t i = 0; i < count; ++i) {
        // Few bounds are equal; these go where there is room and then to their places.
        Candidate* at = sorted + ranks[i] + taken[ranks[i]]++;
        for (*at = first[i]; at > sorted + ranks[i] && *at < at[-1]; --at)
            std::swap(*at, at[-1]);
    }
    std::copy_n(sorted, count, first);
}

/// Of 32 candidates from first_id on, bit i: whether candidate i has no higher id than `id`.
uint32_t up_to_id(uint64_t first_id, uint64_t id) {
    if (id < first_id) return 0;
    return id - first_id < 31 ? (uint32_t{2} << (id - first_id)) - 1 : ~uint32_t{0};
}

/// Keeps the candidates up to `limit` in their order and without gaps; returns how many.
size_t drop_above(float* bounds, uint64_t* ids, size_t count, float limit) {
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
        const float bound = bounds[i];
        bounds[kept] = bound;
        ids[kept] = ids[i];
        kept += bound <= limit;
    }
    return kept;
}

/// Moves the candidates up to `limit` to `taken`, which has room for one more, and closes the gaps;
/// returns how many are left.
size_t take_low(float* bounds, uint64_t* ids, size_t count, float limit, Candidate* taken) {
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
        const float bound = bounds[i];
        const uint64_t id = ids[i];
        const bool is_low = bound <= limit;
        *taken = {.bound = bound, .id = id};
        taken += is_low;
        bounds[kept] = bound;
        ids[kept] = id;
        kept += !is_low;
    }
    return kept;
}

}  // namespace

CandidateWindow::CandidateWindow(size_t capacity, bool thins_ties) : thins_ties_(thins_ties) {
    clear(capacity);
}

void CandidateWindow::clear(size_t capacity) {
    capacity_ = capacity;
    bounds_.resize(room(capacity));
    ids_.resize(room(capacity));
    sorted_.resize(room(capacity));
    size_ = 0;
    sorted_count_ = 0;
    limit_ = kHighest;
    thinned_.clear();
    was_all_ties_ = false;
}

Candidate CandidateWindow::limit() const {
    Candidate lowest = limit_;
    for (const Candidate& last : thinned_)
        lowest = std::min(lowest, last);
    return lowest;
}

uint32_t CandidateWindow::without_thinned(const float bounds[32], uint32_t valid,
                                          uint64_t first_id) const {
    for (const Candidate& last : thinned_)
        valid &= ~HWY_DYNAMIC_DISPATCH(equal_to)(bounds, last.bound) | up_to_id(first_id, last.id);
    return valid;
}

void CandidateWindow::push_block(const float bounds[32], uint32_t valid, uint64_t first_id) {
    if (!thinned_.empty() && valid != 0) {
        valid = without_thinned(bounds, valid, first_id);
        was_all_ties_ = valid == 0;
    }
    if (valid == 0) return;
    unsort();
    // Of equal bounds the lower ids are kept.
    const uint32_t ties = up_to_id(first_id, limit_.id);
    uint32_t places[kBlock + kOverrun];
    const size_t count = HWY_DYNAMIC_DISPATCH(append_low)(bounds, valid, limit_.bound, ties,
                                                          bounds_.data() + size_, places);
    for (size_t i = 0; i < count; ++i)
        ids_[size_ + i] = first_id + places[i];
    size_ += count;
    if (size_ > 2 * capacity_) prune();
}

void CandidateWindow::push(float bound, uint64_t id) {
    const Candidate candidate{std::isnan(bound) ? -kInfinity : bound, id};
    if (limit_ < candidate) return;
    for (const Candidate& last : thinned_)
        if (candidate.bound == last.bound && last < candidate) return;
    unsort();
    bounds_[size_] = candidate.bound;
    ids_[size_++] = candidate.id;
    if (size_ > 2 * capacity_) prune();
}

/// Puts what was sorted back into the columns: there is room, for pruning counts both.
void CandidateWindow::unsort() {
    for (size_t i = 0; i < sorted_count_; ++i) {
        bounds_[size_] = sorted_[i].bound;
        ids_[size_++] = sorted_[i].id;
    }
    sorted_count_ = 0;
}

/// Keeps at least `capacity`. The limit never rises: what lies above it has gone.
/// std::nth_element mispredicts a branch for every other candidate, which takes as long as scanning
/// a list; cutting at a guessed bound has no branch to mispredict, and the exact way is left for
/// bad guesses.
void CandidateWindow::prune() {
    if (size_ >= kFewestToSample) {
        const float bound = guess_bound({bounds_.data(), size_}, capacity_);
        const auto at_most = [bound](float other) { return other <= bound; };
        const auto low = static_cast<size_t>(std::count_if(
            bounds_.begin(), bounds_.begin() + static_cast<ptrdiff_t>(size_), at_most));
        if (low >= capacity_ && low <= capacity_ + capacity_ / 2) {
            size_ = drop_above(bounds_.data(), ids_.data(), size_, bound);
            limit_ = std::min(limit_, {.bound = bound, .id = kHighest.id});
            return;
        }
    }
    if (!thins_ties_ || !thin_ties()) keep_exactly(capacity_);
}

template <typename Keeps>
void CandidateWindow::keep_if(Keeps keeps) {
    size_t kept = 0;
    for (size_t i = 0; i < size_; ++i) {
        if (!keeps(Candidate{bounds_[i], ids_[i]})) continue;
        bounds_[kept] = bounds_[i];
        ids_[kept++] = ids_[i];
    }
    size_ = kept;
}

/// Where nothing is sorted, the columns as candidates that may be put in another order.
Candidate* CandidateWindow::copy_of_columns() {
    for (size_t i = 0; i < size_; ++i)
        sorted_[i] = {.bound = bounds_[i], .id = ids_[i]};
    return sorted_.data();
}

/// Where equal bounds fill half of the window's room and the limit would be one of them, leaves
/// half of the capacity to them; false: it is otherwise.
bool CandidateWindow::thin_ties() {
    Candidate* const all = copy_of_columns();
    Candidate* const end = all + size_;
    std::nth_element(all, all + capacity_ - 1, end);
    const float bound = all[capacity_ - 1].bound;
    const auto is_same = [bound](const Candidate& other) { return other.bound == bound; };
    const auto ties = static_cast<size_t>(std::partition(all, end, is_same) - all);
    auto known = std::ranges::find_if(thinned_, is_same);
    if (ties < capacity_ || (known == thinned_.end() && thinned_.size() == kMostThinned))
        return false;
    Candidate* const last_kept = all + (capacity_ - 1) / 2;
    std::nth_element(all, last_kept, all + ties);
    const Candidate kept = *last_kept;
    keep_if([&](const Candidate& other) { return other.bound != bound || !(kept < other); });
    if (known == thinned_.end()) known = thinned_.insert(known, kept);
    *known = kept;
    return true;
}

void CandidateWindow::raise(const Candidate& first, float bound) {
    unsort();
    const auto is_meant = [&](const Candidate& other) {
        return other.bound == first.bound && !(other < first);
    };
    for (size_t i = 0; i < size_; ++i)
        if (is_meant({bounds_[i], ids_[i]})) bounds_[i] = bound;
    for (Candidate& last : thinned_)
        if (is_meant(last)) last.bound = bound;
    keep_if([&](const Candidate& other) { return !(limit_ < other); });
}

void CandidateWindow::keep_exactly(size_t wanted) {
    Candidate* const all = copy_of_columns();
    std::nth_element(all, all + wanted - 1, all + size_);
    limit_ = all[wanted - 1];
    for (size_ = 0; size_ < wanted; ++size_) {
        bounds_[size_] = all[size_].bound;
        ids_[size_] = all[size_].id;
    }
}

/// Moves the best of the columns, at least `wanted` if they have so many, to the end of sorted_.
void CandidateWindow::take_best(size_t wanted) {
    float bound = kInfinity;
    if (size_ > wanted && size_ >= kFewestToSample) {
        bound = guess_bound({bounds_.data(), size_}, wanted);
    }
    Candidate* const first = sorted_.data() + sorted_count_;
    Candidate* last = first;
    for (;; bound = kInfinity) {
        const size_t rest = take_low(bounds_.data(), ids_.data(), size_, bound, last);
        last += size_ - rest;
        size_ = rest;
        if (bound == kInfinity || last - first >= static_cast<ptrdiff_t>(wanted)) break;
    }
    sort(first, static_cast<size_t>(last - first));
    sorted_count_ = static_cast<size_t>(last - sorted_.data());
}

std::span<const Candidate> CandidateWindow::best(size_t count) {
    count = std::min(count, size());
    while (sorted_count_ < count)
        take_best(std::max(count - sorted_count_, kFirstSorted));
    return {sorted_.data(), count};
}

void CandidateWindow::forget_best(size_t count) {
    sorted_count_ -= count;
    std::copy_n(sorted_.data() + count, sorted_count_, sorted_.data());
}

}  // namespace lookalike
#endif  // HWY_ONCE
