#include "core/search/found_entries.h"

#include <algorithm>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// Equal keys in the order of their rows: the sequence must not depend on how the scan went.
bool comes_later(const FoundEntry& a, const FoundEntry& b) {
    if (a.key != b.key) return a.key > b.key;
    // Distances may differ where a float no longer does.
    if (a.distance != b.distance) return a.distance > b.distance;
    const uint64_t x = uint64_t{a.pointer.block()} << 16 | a.pointer.offset;
    const uint64_t y = uint64_t{b.pointer.block()} << 16 | b.pointer.offset;
    return x > y;
}

}  // namespace

void FoundEntries::push(const FoundEntry& entry) {
    note_key(entry.key);
    heap_.push_back(entry);
    std::push_heap(heap_.begin(), heap_.end(), comes_later);
}

FoundEntry FoundEntries::pop() {
    std::pop_heap(heap_.begin(), heap_.end(), comes_later);
    const FoundEntry entry = heap_.back();
    heap_.pop_back();
    if (has_first_rows()) {
        --first_rows_left_;
        lowest_keys_.erase(lowest_keys_.begin());
    }
    return entry;
}

void FoundEntries::remove(size_t position) {
    if (position == 0) {
        std::pop_heap(heap_.begin(), heap_.end(), comes_later);
        heap_.pop_back();
    } else {
        heap_[position] = heap_.back();
        heap_.pop_back();
        std::make_heap(heap_.begin(), heap_.end(), comes_later);
    }
    note_keys_again();
}

float FoundEntries::last_key() const {
    return lowest_keys_.size() < first_rows_left_ ? std::numeric_limits<float>::infinity()
                                                  : lowest_keys_[first_rows_left_ - 1];
}

// Keeps the lowest keys of the heap while they matter.
void FoundEntries::note_key(float key) {
    if (!has_first_rows()) return;
    lowest_keys_.insert(std::upper_bound(lowest_keys_.begin(), lowest_keys_.end(), key), key);
    if (lowest_keys_.size() > first_rows_left_) lowest_keys_.pop_back();
}

void FoundEntries::note_keys_again() {
    if (!has_first_rows()) return;
    lowest_keys_.clear();
    for (const FoundEntry& entry : heap_)
        note_key(entry.key);
}

size_t FoundEntries::count_below(size_t position, float key) const {
    if (position >= heap_.size() || heap_[position].key > key) return 0;
    const size_t here = heap_[position].key == key;
    return here + count_below(2 * position + 1, key) + count_below(2 * position + 2, key);
}

size_t FoundEntries::find(uint32_t fingerprint) const {
    const auto found = std::ranges::find(heap_, fingerprint, &FoundEntry::fingerprint);
    return static_cast<size_t>(found - heap_.begin());
}

void FoundEntries::expect(const EqualRows& rows) {
    for (FoundEntry& entry : heap_) {
        if (entry.fingerprint == rows.fingerprint && !entry.is_exact) expect_at(rows, &entry);
    }
    std::make_heap(heap_.begin(), heap_.end(), comes_later);
    note_keys_again();
}

}  // namespace lookalike
