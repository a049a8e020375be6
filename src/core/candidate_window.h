// Keeps the best of many candidates. A heap of all scanned entries would cost more than scanning
// them; here nearly all fail one comparison against a running limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace lookalike {

struct Candidate {
    float bound;  ///< of the key: lower comes first; never NaN
    uint64_t id;

    friend bool operator<(const Candidate& a, const Candidate& b) {
        return a.bound < b.bound || (a.bound == b.bound && a.id < b.id);
    }
};

/// Candidates are ordered by (bound, id), so the content does not depend on the order of pushes.
class CandidateWindow {
  public:
    static constexpr size_t kDefaultCapacity = 512;

    /// REQUIRES: capacity > 0. Takes about 2 * sizeof(Candidate) * capacity bytes.
    explicit CandidateWindow(size_t capacity = kDefaultCapacity);

    size_t capacity() const { return capacity_; }

    /// Pushes the candidates i with bit i of `valid` set: bounds[i], first_id + i. NaN counts as
    /// the lowest bound: what could not be computed must be looked at, not lost.
    void push_block(const float bounds[32], uint32_t valid, uint64_t first_id);

    void push(float bound, uint64_t id);

    /// The `capacity` best of all pushed, ascending. Valid until the next call that is not const.
    std::span<const Candidate> sorted();

    /// Every candidate that was pushed and lies below this is in the window. The highest possible
    /// candidate while none has been left out.
    const Candidate& limit() const { return limit_; }
    bool is_complete() const { return !has_dropped_; }

    /// Forgets everything; a new capacity may be given for a second, wider pass.
    void clear() { clear(capacity_); }
    void clear(size_t capacity);

  private:
    static constexpr Candidate kHighest = {std::numeric_limits<float>::infinity(),
                                           std::numeric_limits<uint64_t>::max()};

    void prune();

    size_t capacity_;
    std::vector<Candidate> candidates_;
    Candidate limit_ = kHighest;
    bool has_dropped_ = false;
};

}  // namespace lookalike
