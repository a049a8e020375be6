// Keeps the best of many candidates. A heap of all scanned entries would cost more than scanning
// them; here nearly all fail one comparison against a running limit.
#pragma once

#include <cmath>
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

/// The lowest candidate that is above this one.
inline Candidate after(const Candidate& candidate) {
    if (candidate.id < std::numeric_limits<uint64_t>::max())
        return {candidate.bound, candidate.id + 1};
    return {std::nextafter(candidate.bound, std::numeric_limits<float>::infinity()), 0};
}

/// Holds every candidate that was pushed, up to limit(); these are at least `capacity` if so many
/// were pushed, or half of it where they tie. They are ordered by (bound, id), so what comes out
/// does not depend on the order of pushes.
///
/// Very many equal bounds must not crowd out what lies above them. So of those that would fill the
/// window only the ones with the lowest ids are kept, and limit() lies at the last of them, until
/// they are raised; what lies above stays.
class CandidateWindow {
  public:
    static constexpr size_t kDefaultCapacity = 512;

    /// REQUIRES: capacity > 0. Takes bytes(capacity), and no more later. `thins_ties`: as said
    /// above; else what lies above them is dropped.
    explicit CandidateWindow(size_t capacity = kDefaultCapacity, bool thins_ties = false);

    static constexpr size_t bytes(size_t capacity) { return room(capacity) * kBytesPerPlace; }
    /// The greatest capacity that takes no more than `bytes`; 0: there is none.
    static constexpr size_t capacity_within(size_t bytes) {
        const size_t places = bytes / kBytesPerPlace;
        return places > room(0) ? (places - room(0)) / 2 : 0;
    }
    size_t capacity() const { return capacity_; }

    /// Pushes the candidates i with bit i of `valid` set: bounds[i], first_id + i. NaN counts as
    /// the lowest bound: what could not be computed must be looked at, not lost. Fast where those
    /// that is_beyond() are left out of `valid`.
    void push_block(const float bounds[32], uint32_t valid, uint64_t first_id);

    void push(float bound, uint64_t id);

    /// The `count` best, ascending; fewer when it holds fewer. Sorts no more than it must: ask for
    /// a few more at a time. Valid until the next push, forget_best or clear.
    std::span<const Candidate> best(size_t count);

    /// Whether nothing that was pushed has been dropped.
    bool is_complete() const { return !(limit() < kHighest); }

    /// The highest possible candidate while is_complete().
    Candidate limit() const;

    /// Above this bound candidates are dropped at once.
    float highest_bound() const { return limit_.bound; }
    bool is_beyond(float bound) const { return bound > limit_.bound; }

    /// Whether all that the last block had was left out because it ties.
    bool was_all_ties() const { return was_all_ties_; }

    /// Gives the candidates with this bound, from `first` on, a higher one. Ends what best() gave.
    void raise(const Candidate& first, float bound);

    /// Forgets the `count` best. REQUIRES: best() has given them out since the last push.
    void forget_best(size_t count);

    /// Forgets everything; another capacity may be given for a second, wider pass.
    void clear() { clear(capacity_); }
    void clear(size_t capacity);

  private:
    static constexpr size_t kBlock = 32;
    static constexpr size_t kOverrun = 16;  ///< vectors read and write whole
    static constexpr size_t kMostThinned = 4;
    static constexpr size_t kBytesPerPlace = sizeof(float) + sizeof(uint64_t) + sizeof(Candidate);
    static constexpr Candidate kHighest{std::numeric_limits<float>::infinity(),
                                        std::numeric_limits<uint64_t>::max()};

    static constexpr size_t room(size_t capacity) { return 2 * capacity + kBlock + kOverrun; }
    size_t size() const { return sorted_count_ + size_; }
    void prune();
    void unsort();
    void take_best(size_t wanted);
    Candidate* copy_of_columns();
    void keep_exactly(size_t wanted);
    bool thin_ties();
    uint32_t without_thinned(const float bounds[32], uint32_t valid, uint64_t first_id) const;
    template <typename Keeps>
    void keep_if(Keeps keeps);

    size_t capacity_;
    // In two columns, so that a vector of bounds is compared at once.
    std::vector<float> bounds_;
    std::vector<uint64_t> ids_;
    size_t size_;  ///< of the columns: so many places are taken
    std::vector<Candidate>
        sorted_;           ///< the best of all, in order, not in the columns; prune()'s room
    size_t sorted_count_;  ///< of them
    Candidate limit_;      ///< what lies above has been dropped
    bool thins_ties_;
    bool was_all_ties_ = false;
    /// Of each bound of these, what lies above has been dropped.
    std::vector<Candidate> thinned_;
};

}  // namespace lookalike
