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
#include "core/search/found_entries.h"
#include "core/search/seen_pages.h"

namespace lookalike {

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
    LevelScan(const LevelScan&) = delete;  // its parts know where it lies

    /// Takes a list into the scan. `terms` as BlockScorer gives them for its centroid.
    void open_list(uint32_t list_id, const ScanTerms& terms);
    size_t opened_count() const { return lists_.size(); }
    bool has_unread() const { return reading_.list < lists_.size(); }
    const ListGeometry& geometry() const { return geometry_; }
    const EntryFilter* filter() const { return options_.filter; }
    bool is_inner() const { return options_.level > 0; }

    enum class Need {
        kList,      ///< read list_to_read(): skip_list() with its first page, or push its pages
        kEntry,     ///< read entry_to_read(): then push_slot(), push_pointer() or drop_entry()
        kDistance,  ///< measure entry_to_measure(): then push_distance() or drop_measured()
        kNothing,   ///< top() may be taken with pop()
        kMore,      ///< the opened lists are exhausted, as far as the key limit
    };
    Need need();

    uint32_t list_to_read() const { return lists_[reading_.list].id; }
    /// The list that will be read after it; kNoBlock: none is in sight.
    uint32_t following_list() const;
    /// Leaves list_to_read(), of which this is the first page, unread if nothing in it passes the
    /// filter or nothing in it is near enough. False: push its pages, then finish_list().
    bool skip_list(const uint8_t* first_page);
    void begin_page(const uint8_t* page, uint32_t block);
    void push_block(const ListPageView& page, uint32_t block, const uint8_t* codes);
    /// Whether what follows of list_to_read() after the page last pushed may be left for later: all
    /// rows of the list are one point, and enough of them have been seen. Then finish_list().
    bool can_stop() const { return reading_.is_point && reading_.has_tied && !reading_.has_untied; }
    void finish_list();

    EntryPlace place(uint64_t id) const { return pages_.place(id); }
    EntryPlace entry_to_read() const { return place(ready_[taken_].id); }

    /// An entry that may have to be read after `distance` others; false: none is in sight.
    bool following_entry(size_t distance, EntryPlace* following) const {
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
    const FoundEntry& entry_to_measure() const { return found_[measuring_]; }
    /// Its distance, as SQL computes it.
    void push_distance(double distance);
    /// Its row is not visible, so the entry is not given out.
    void drop_measured();

    const FoundEntry& top() const { return found_.top(); }
    /// What has been found and not given out, the next first, the others in no strict order.
    std::span<const FoundEntry> found() const { return found_.all(); }
    /// Before the next entry is given out, all that may have a lower key must have been looked at.
    float wanted_key() const {
        return found_.has_first_rows() ? std::min(found_.last_key(), options_.key_limit)
               : found_.empty()        ? options_.key_limit
                                       : found_.top().key;
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

    enum class ListState : uint8_t { kUnread, kRead, kSkipped };

    struct List {
        uint32_t id;  // its first page
        ListState state;
        ScanTerms terms;
        Candidate taken;  // every entry below has been taken
        PageRun pages;
    };

    // The list that is being read, or will be as soon as there is one. Lists are read in the order
    // in which they were opened: those before it are not unread, those from it on are.
    struct Reading {
        size_t list = 0;
        uint64_t entries_scanned = 0;  // by the counters, when it began
        uint64_t entries_passed = 0;
        uint32_t page_count = 0;     // pages pushed
        bool is_first_time = false;  // no page of the list had been pushed before
        bool is_point = false;       // no two rows of the list differ but by rounding
        SeenPage page{};             // the one that was pushed last
        bool has_tied = false;       // that page had blocks that were left out because they tie
        bool has_untied = false;     // ... and others
    };

    void end_list(ListState state, bool is_unmatched);

    const Candidate* next_candidate();
    void forget_taken();
    void remember_taken(const Candidate& below);
    void widen();
    uint32_t untaken(uint32_t live, const float* bounds, uint64_t first_id) const;
    void push_found(FoundEntry entry);

    // In level_ties.cpp.
    bool is_wanted(float bound) const;
    Need give_out();
    EqualRows* equal_rows(const FoundEntry& entry);
    void look_for_ties_read(const FoundEntry& entry, const Candidate& read);
    void look_for_ties_given(const FoundEntry& entry);
    void meet_equal_rows(const FoundEntry& entry, const Candidate* read);
    bool find_entry_to_measure();
    void measure(EqualRows* rows, const FoundEntry& measured);
    void raise_bounds(const Candidate& first, float key);
    float scanned_bound(const Candidate& candidate) const;
    void apply_raised(float* bounds, uint64_t first_id) const;

    ListGeometry geometry_;
    const BlockScorer& scorer_;
    Refine refine_;
    LevelOptions options_;
    CandidateWindow window_;  // has, up to its limit, what was not taken of the lists read
    std::vector<List> lists_;
    size_t unmatched_count_ = 0;  // of the lists that are not unread
    SeenPages pages_;
    Reading reading_{};
    std::span<const Candidate> ready_;  // the best of the window, ascending
    size_t taken_ = 0;                  // so many of them have been taken
    FoundEntries found_;
    Run read_run_;
    Run given_run_;
    std::vector<EqualRows> equal_rows_;
    std::vector<RaisedBound> raised_bounds_;
    uint32_t unmeasured_ = 0;      // the fingerprint of equal rows none of which was measured
    size_t measuring_ = 0;         // in found_
    uint64_t passed_nearest_ = 0;  // in the first kNearestLists that were read
    Counters counters_{};
};

}  // namespace lookalike
