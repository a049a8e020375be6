// The entries that a LevelScan has found and not given out: a heap by their keys, and the lowest
// keys of as many of them as are wanted together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/code/scan_code.h"
#include "core/page/list_page.h"
#include "core/search/equal_rows.h"

namespace lookalike {

/// An entry that came out.
struct FoundEntry {
    float key;
    uint32_t fingerprint;  ///< of its code; 0: none
    double distance;  ///< never above the distance that SQL computes; an estimate without refine
    EntryPointer pointer;
    bool is_exact;    ///< the distance is the one that SQL computes
    uint64_t id;      ///< of the scan: where its slot is
    ScanTerms terms;  ///< inner levels: of the list that the entry points at
};

/// Gives an entry of a group of equal rows the distance that was measured for the group.
inline void expect_at(const EqualRows& rows, FoundEntry* entry) {
    entry->distance = rows.distance;
    entry->key = rows.key;
}

class FoundEntries {
  public:
    /// `first_rows` are wanted together: see last_key().
    explicit FoundEntries(size_t first_rows) : first_rows_left_(first_rows) {}

    bool empty() const { return heap_.empty(); }
    size_t size() const { return heap_.size(); }
    const FoundEntry& top() const { return heap_.front(); }
    const FoundEntry& operator[](size_t position) const { return heap_[position]; }
    /// The next first, the others in no strict order.
    std::span<const FoundEntry> all() const { return heap_; }

    void push(const FoundEntry& entry);
    FoundEntry pop();
    void remove(size_t position);

    /// Whether some of the first rows have not been taken.
    bool has_first_rows() const { return first_rows_left_ > 1; }
    /// The key of the last of them; infinite while fewer were found.
    float last_key() const;

    /// How many have this key; few may have a lower one.
    size_t count_at(float key) const { return count_below(0, key); }
    /// The first in the heap of this fingerprint; size(): there is none.
    size_t find(uint32_t fingerprint) const;
    void set_exact(size_t position) { heap_[position].is_exact = true; }
    /// All of this group that are not exact get the group's distance.
    void expect(const EqualRows& rows);

  private:
    void note_key(float key);
    void note_keys_again();
    size_t count_below(size_t position, float key) const;

    std::vector<FoundEntry> heap_;
    std::vector<float> lowest_keys_;  // the first rows' keys, ascending
    size_t first_rows_left_;
};

}  // namespace lookalike
