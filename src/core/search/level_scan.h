// Best first through the entries of some lists of one level of an index.
//
// The scan keeps a window of the best scan-code bounds among the opened lists, asks for the entries
// at its top to be read at finer resolution, and gives an entry out when its fine bound is at most
// every bound not yet looked at. When the window runs dry, the lists are read again with a window
// twice as large, from the point in each list up to which its entries were taken.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/code/block_scorer.h"
#include "core/page/list_page.h"
#include "core/search/candidate_window.h"
#include "core/search/entry_filter.h"
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

struct LevelOptions {
    uint32_t level;
    bool exhaustive;         ///< look at every entry: the order is exact
    size_t window_capacity;  ///< to begin with
    size_t max_window_capacity;
    const EntryFilter* filter = nullptr;  ///< null: every entry passes
    /// Entries above do not matter: they are not looked at, and those looked at are dropped.
    float key_limit = std::numeric_limits<float>::infinity();
    /// So many are kept that were found and not given out; then the best comes out although it may
    /// not be next.
    size_t max_found = std::numeric_limits<size_t>::max();
    /// As long as fewer rows have been given out, none is before so many are known to be next.
    size_t first_rows = 1;
    /// Very many equal bounds do not crowd others out of the window.
    bool thins_ties = false;
    /// Where very many rows are equal, the exact distance of some is asked for.
    bool measures_ties = false;
};

class LevelScan {
  public:
    /// `scorer` must outlive this.
    LevelScan(const ListGeometry& geometry, const BlockScorer& scorer, Refine refine,
              const LevelOptions& options);

    /// Takes a list into the scan. `terms` as BlockScorer gives them for its centroid.
    void open_list(uint32_t first_block, const ScanTerms& terms);
    size_t opened_count() const { return lists_.size(); }
    bool has_unread() const { return unread_count_ > 0; }
    const EntryFilter* filter() const { return options_.filter; }
    bool is_inner() const { return options_.level > 0; }

    enum class Need {
        kList,      ///< read list_to_read(): push its pages, then finish_list()
        kEntry,     ///< read entry_to_read(): then push_slot(), push_pointer() or drop_entry()
        kDistance,  ///< measure entry_to_measure(): then push_distance() or drop_measured()
        kNothing,   ///< top() may be taken with pop()
        kMore,      ///< the opened lists are exhausted, as far as the key limit
    };
    Need need();

    uint32_t list_to_read() const { return lists_[reading_].first_block; }
    /// The list that will be read after it; kNoBlock: none is in sight.
    uint32_t following_list() const;
    /// Whether list_to_read(), of which this is the first page, may be left unread: nothing in it
    /// passes the filter, or nothing in it is near enough.
    bool can_skip(const uint8_t* first_page);
    /// Whether what follows of list_to_read() after the page last pushed may be left for later: all
    /// rows of the list are one point, and enough of them have been seen. Then finish_list().
    bool can_stop() const { return is_point_ && has_tied_ && !has_untied_; }
    void begin_page(const uint8_t* page, uint32_t block);
    void push_block(const ListPageView& page, uint32_t block, const uint8_t* codes);
    void finish_list();
    void skip_list();

    /// Where an entry lies.
    struct Place {
        uint32_t list_id;
        uint32_t list_page;
        uint32_t index;                        ///< in its list page
        std::span<const uint32_t> slot_pages;  ///< from the slot's first on; empty: not linked
        uint32_t slot_offset;                  ///< in the first
    };
    Place place(uint64_t id) const;
    Place entry_to_read() const { return place(ready_[taken_].id); }

    /// An entry that may have to be read after `distance` others; false: none is in sight.
    bool following_entry(size_t distance, Place* following) const {
        if (taken_ + distance >= ready_.size()) return false;
        *following = place(ready_[taken_ + distance].id);
        return true;
    }

    /// The refine slot of entry_to_read(), slot_bytes of it; of an inner level aligned to 4.
    void push_slot(const uint8_t* slot);
    /// The same where there are no refine slots.
    void push_pointer(EntryPointer pointer);
    /// The entry has gone: removed by VACUUM since its page was read.
    void drop_entry() { ++taken_; }

    /// The entry of Need::kDistance.
    const FoundEntry& entry_to_measure() const { return heap_[measuring_]; }
    /// Its distance, as SQL computes it.
    void push_distance(double distance);
    /// Its row is not visible, so the entry is not given out.
    void drop_measured();

    const FoundEntry& top() const { return heap_.front(); }
    /// What has been found and not given out, the next first, the others in no strict order.
    std::span<const FoundEntry> found() const { return heap_; }
    /// Before the next entry is given out, all that may have a lower key must have been looked at.
    float wanted_key() const {
        return has_first_rows() ? std::min(last_key(), options_.key_limit)
               : heap_.empty()  ? options_.key_limit
                                : heap_.front().key;
    }
    FoundEntry pop();

    struct Counters {
        uint64_t lists_read;     ///< those skipped among them
        uint64_t lists_skipped;  ///< from what their first page says
        uint64_t
            entries_in_matched;  ///< scanned in lists in which the filter let something through
        uint64_t entries_scanned;
        uint64_t entries_passed;  ///< of those scanned: what the filter let through
        uint64_t entries_refined;
    };
    const Counters& counters() const { return counters_; }

    /// The share of entries that the filter lets through in lists where it lets any, as far as
    /// seen; above 0.
    double passed_share() const {
        if (options_.filter == nullptr || counters_.entries_in_matched == 0) return 1;
        return (static_cast<double>(counters_.entries_passed) + 1) /
               (static_cast<double>(counters_.entries_in_matched) + 1);
    }

    /// Whether the filter leaves rows where the query is: 1 when the nearest lists had as many as a
    /// list read has on average, 0 when they had none.
    double left_nearby() const {
        if (counters_.entries_passed == 0) return 0;
        const double mean = static_cast<double>(counters_.entries_passed) /
                            static_cast<double>(counters_.lists_read);
        return std::min(1.0, static_cast<double>(passed_nearest_) / (kNearestLists * mean));
    }

    /// Opened lists less those in which the filter let nothing through.
    size_t matching_count() const { return lists_.size() - unmatched_count_; }

  private:
    static constexpr uint64_t kNearestLists = 3;

    struct List {
        uint32_t first_block;
        ScanTerms terms;
        Candidate taken;  // every entry below has been taken
        bool has_taken;
        bool to_read;
        bool was_read;
        bool was_skipped;     // the last time
        bool was_unmatched;   // the last time
        uint32_t first_page;  // its pages in pages_
        uint32_t page_count;
    };
    struct Page {
        uint32_t block;
        uint32_t list;
    };

    bool find_list_to_read();
    const Candidate* next_candidate();
    /// Whether some of the first rows have not been given out.
    bool has_first_rows() const { return first_rows_left_ > 1; }
    /// The key of the last of them; infinite while fewer were found.
    float last_key() const;
    static bool comes_later(const FoundEntry& a, const FoundEntry& b);
    void forget_taken();
    void start_reading();
    void remember_taken(const Candidate& below);
    void widen();
    uint32_t page_ordinal(uint32_t block);
    ptrdiff_t refine_start(uint64_t ordinal) const {
        return static_cast<ptrdiff_t>(ordinal * geometry_.max_refine_pages);
    }
    uint32_t untaken(uint32_t live, const float* bounds, uint64_t first_id) const;
    void push_found(FoundEntry entry);
    void note_key(float key);

    // In level_ties.cpp.
    bool is_wanted(float bound) const;
    size_t ties_found(float key, size_t at) const;
    Need give_out();
    EqualRows* equal_rows(const FoundEntry& entry);
    void look_for_ties_read(const FoundEntry& entry, const Candidate& read);
    void look_for_ties_given(const FoundEntry& entry);
    void meet_equal_rows(const FoundEntry& entry, const Candidate* read);
    bool find_entry_to_measure();
    void measure(EqualRows* rows, const FoundEntry& measured);
    void expect_at(const EqualRows& rows, FoundEntry* entry) const;
    void note_keys_again();
    void raise_bounds(const Candidate& first, float key);
    float scanned_bound(const Candidate& candidate) const;
    void apply_raised(float* bounds, uint64_t first_id) const;

    ListGeometry geometry_;
    const BlockScorer& scorer_;
    Refine refine_;
    LevelOptions options_;
    CandidateWindow window_;  // has, up to its limit, what was not taken of the lists read
    std::vector<List> lists_;
    std::vector<Page> pages_;
    std::vector<uint32_t> refine_pages_;  // max_refine_pages for each page
    std::span<const Candidate> ready_;    // the best of the window, ascending
    size_t taken_ = 0;                    // so many of them have been taken
    size_t unread_count_ = 0;
    size_t unmatched_count_ = 0;
    bool is_too_far_ = false;  // the list that is being read, which says nothing about the filter
    bool is_point_ = false;    // the same: no two rows of it differ but by rounding
    bool is_reading_ = false;
    size_t reading_ = 0;
    uint32_t pages_read_ = 0;    // of the list that is being read
    uint32_t page_ordinal_ = 0;  // of the page that is being read
    bool is_page_new_ = false;   // the same: none of its entries has been taken
    bool has_tied_ = false;      // the same: blocks that were left out because they tie
    bool has_untied_ = false;    // ... and others
    std::vector<FoundEntry> heap_;
    std::vector<float> lowest_keys_;  // the options' first_rows of the heap, ascending
    size_t first_rows_left_;
    Run read_run_;
    Run given_run_;
    std::vector<EqualRows> equal_rows_;
    std::vector<RaisedBound> raised_bounds_;
    uint32_t unmeasured_ = 0;      // the fingerprint of equal rows none of which was measured
    size_t measuring_ = 0;         // in the heap
    uint64_t scanned_before_ = 0;  // the list that is being read
    uint64_t passed_before_ = 0;
    uint64_t passed_nearest_ = 0;  // in the first kNearestLists that were read
    Counters counters_{};
};

}  // namespace lookalike
