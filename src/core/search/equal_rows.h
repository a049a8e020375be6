// Very many rows that are equal, as a scan sees them: their codes are. All of them must not be read
// before the first is given out. docs/DESIGN.md (Ties) has the argument.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/search/candidate_window.h"

namespace lookalike {

/// So many entries in a row tell that rows are equal.
constexpr uint32_t kTellingRun = 32;
/// Groups of equal rows that a scan knows at a time.
constexpr size_t kMostEqualRows = 32;
/// Of more equal keys only so many at a time are put in the order of their rows.
constexpr size_t kTiesAhead = 64;

/// Counts how often the same comes in a row.
class Run {
  public:
    /// Whether that has happened kTellingRun times, or a multiple of it.
    bool add(uint32_t fingerprint, float bound) {
        if (fingerprint != fingerprint_ || bound != bound_) count_ = 0;
        fingerprint_ = fingerprint;
        bound_ = bound;
        return ++count_ % kTellingRun == 0;
    }

  private:
    uint32_t fingerprint_ = 0;
    float bound_ = 0;
    uint32_t count_ = 0;
};

/// Rows that are taken for equal. As soon as the distance of one of them is known, the others are
/// expected there.
struct EqualRows {
    uint32_t fingerprint;  ///< of their refine codes
    Candidate unread{};    ///< until the distance is known: from here on entries were not read
    bool has_unread = false;
    bool is_measured = false;
    double distance = 0;
    float key = 0;  ///< of the distance, rounded up: what may lie nearer comes before
};

/// Entries with this scan bound, from this one on, are expected at this key.
struct RaisedBound {
    Candidate first;
    float key;
};

}  // namespace lookalike
