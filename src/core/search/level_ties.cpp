// The part of a LevelScan that deals with many equal keys: docs/DESIGN.md (Ties).
#include <algorithm>
#include <cmath>

#include "core/search/level_scan.h"

namespace lookalike {

// Equal keys too: among equals the row's place decides, if they are not too many.
bool LevelScan::is_wanted(float bound) const {
    const float wanted = wanted_key();
    if (found_.size() >= options_.max_found || bound > wanted) return false;
    return bound < wanted || found_.count_at(bound) < kTiesAhead;
}

// Of equal rows each is given out with its own distance.
LevelScan::Need LevelScan::give_out() {
    if (found_.empty()) return Need::kMore;
    if (top().is_exact || equal_rows(top()) == nullptr) return Need::kNothing;
    measuring_ = 0;
    return Need::kDistance;
}

// Equal rows have equal scan bounds in a list, so they are read in a row.
void LevelScan::look_for_ties_read(const FoundEntry& entry, const Candidate& read) {
    if (options_.measures_ties && entry.fingerprint != 0 &&
        read_run_.add(entry.fingerprint, read.bound))
        meet_equal_rows(entry, &read);
}

// Where scan bounds tell nothing, they are given out in a row.
void LevelScan::look_for_ties_given(const FoundEntry& entry) {
    if (options_.measures_ties && entry.fingerprint != 0 && !entry.is_exact &&
        given_run_.add(entry.fingerprint, 0) && found_.find(entry.fingerprint) < found_.size())
        meet_equal_rows(entry, nullptr);
}

EqualRows* LevelScan::equal_rows(const FoundEntry& entry) {
    if (entry.fingerprint == 0) return nullptr;
    for (EqualRows& rows : equal_rows_)
        if (rows.fingerprint == entry.fingerprint) return &rows;
    return nullptr;
}

bool LevelScan::find_entry_to_measure() {
    if (unmeasured_ == 0) return false;
    measuring_ = found_.find(unmeasured_);
    if (measuring_ == found_.size()) {
        std::erase_if(equal_rows_,
                      [this](const EqualRows& rows) { return rows.fingerprint == unmeasured_; });
        unmeasured_ = 0;
        return false;
    }
    return true;
}

// After a telling run. `read`: the last scan bound of it, which the next entries probably have too;
// null where scan bounds tell nothing.
void LevelScan::meet_equal_rows(const FoundEntry& entry, const Candidate* read) {
    EqualRows* rows = equal_rows(entry);
    if (rows == nullptr) {
        if (equal_rows_.size() == kMostEqualRows || unmeasured_ != 0) return;
        rows = &equal_rows_.emplace_back(EqualRows{.fingerprint = entry.fingerprint});
        unmeasured_ = entry.fingerprint;
    }
    if (read == nullptr || !std::isfinite(read->bound)) return;
    if (rows->is_measured) return raise_bounds(after(*read), rows->key);
    rows->unread = after(*read);
    rows->has_unread = true;
}

// The order of the bounds stays one in which all that was taken comes before all that was not.
void LevelScan::raise_bounds(const Candidate& first, float key) {
    if (!(first.bound < key) || raised_bounds_.size() == kMostEqualRows) return;
    forget_taken();
    window_.raise(first, key);
    raised_bounds_.push_back({first, key});
}

void LevelScan::push_distance(double distance) {
    found_.set_exact(measuring_);
    FoundEntry measured = found_[measuring_];
    EqualRows* rows = equal_rows(measured);
    if (rows->is_measured && measured.distance == distance) return;
    measured.distance = distance;
    measured.key = round_up(distance_to_key(scorer_.metric(), distance));
    drop_measured();
    if (!rows->is_measured) measure(rows, measured);
    found_.push(measured);
}

// The first of equal rows says where the others are expected.
void LevelScan::measure(EqualRows* rows, const FoundEntry& measured) {
    rows->is_measured = true;
    rows->distance = measured.distance;
    rows->key = measured.key;
    unmeasured_ = 0;
    found_.expect(*rows);
    if (rows->has_unread) raise_bounds(rows->unread, rows->key);
}

void LevelScan::drop_measured() {
    found_.remove(measuring_);
}

// As it was before it was raised.
float LevelScan::scanned_bound(const Candidate& candidate) const {
    for (const RaisedBound& raised : raised_bounds_)
        if (candidate.bound == raised.key && candidate.id >= raised.first.id)
            return raised.first.bound;
    return candidate.bound;
}

void LevelScan::apply_raised(float* bounds, uint64_t first_id) const {
    for (const RaisedBound& raised : raised_bounds_) {
        const uint64_t from = raised.first.id > first_id ? raised.first.id - first_id : 0;
        for (uint64_t i = from; i < kBlockEntries; ++i)
            bounds[i] = bounds[i] == raised.first.bound ? raised.key : bounds[i];
    }
}

}  // namespace lookalike
