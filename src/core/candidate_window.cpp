#include "core/candidate_window.h"

#include <algorithm>
#include <bit>
#include <cmath>

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

}  // namespace

CandidateWindow::CandidateWindow(size_t capacity) {
    clear(capacity);
}

void CandidateWindow::clear(size_t capacity) {
    capacity_ = capacity;
    candidates_.clear();
    candidates_.reserve(2 * capacity);
    limit_ = kHighest;
    has_dropped_ = false;
}

void CandidateWindow::push_block(const float bounds[32], uint32_t valid, uint64_t first_id) {
    uint32_t left = valid & ~HWY_DYNAMIC_DISPATCH(above)(bounds, limit_.bound);
    for (; left != 0; left &= left - 1) {
        const unsigned i = static_cast<unsigned>(std::countr_zero(left));
        push(bounds[i], first_id + i);
    }
}

void CandidateWindow::push(float bound, uint64_t id) {
    const float known = std::isnan(bound) ? -std::numeric_limits<float>::infinity() : bound;
    const Candidate candidate{.bound = known, .id = id};
    if (limit_ < candidate) return;
    if (candidates_.size() == 2 * capacity_) {
        prune();
        if (limit_ < candidate) return;
    }
    candidates_.push_back(candidate);
}

/// Cuts down to `capacity`. The worst that stays becomes the limit.
void CandidateWindow::prune() {
    if (candidates_.size() <= capacity_) return;
    const auto worst = candidates_.begin() + static_cast<ptrdiff_t>(capacity_ - 1);
    std::nth_element(candidates_.begin(), worst, candidates_.end());
    limit_ = *worst;
    has_dropped_ = true;
    candidates_.resize(capacity_);
}

std::span<const Candidate> CandidateWindow::sorted() {
    prune();
    std::sort(candidates_.begin(), candidates_.end());
    return candidates_;
}

}  // namespace lookalike
#endif  // HWY_ONCE
