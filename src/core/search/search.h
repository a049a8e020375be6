// A nearest-neighbour search over the tree of lists, as a machine that says what it needs next.
//
// The caller reads pages and pushes their bytes; the search never reads by itself and never knows
// how many rows are wanted. Rows come in the order of their bounds; a row that is found later than
// its place is given out late, never dropped, and every row of every list comes exactly once.
#pragma once

#include <limits>
#include <memory>
#include <optional>

#include "core/search/level_scan.h"
#include "core/search/probe_plan.h"

namespace lookalike {

struct SearchOptions {
    ProbePlan probes;          ///< lists to open before the first rows are given out
    uint32_t target_level;     ///< 0: rows; 1: stop at the lists (for inserts)
    bool exhaustive;           ///< a single list: look at every entry, the order is exact
    size_t memory_bytes;       ///< for windows, and for rows found but not given out
    bool keeps_order = false;  ///< however much memory the rows found take
    double rows_per_list = 0;  ///< when the probes were measured; 0: unknown
    const EntryFilter* filter = nullptr;  ///< of leaf entries; must outlive the search
    const EntryFilter* lists = nullptr;   ///< of the root's entries; the same
    /// Rows that are farther are not wanted. Some come nevertheless; the search ends when it has no
    /// nearer ones in as many lists as so many rows ask for.
    double radius = std::numeric_limits<double>::infinity();
    /// The caller can tell the exact distance of a row: where very many are equal, it is asked.
    bool measures_ties = false;
};

struct SearchStep {
    enum class What {
        kReadList,   ///< push the pages of `list_id`, then finish_list()
        kReadEntry,  ///< push what lies at `place`
        kMeasure,    ///< push_distance() of `found`, or drop_measured()
        kEmit,       ///< `found` is the next row
        kDone,       ///< every entry of the index has been given out, or all within the radius
    };
    What what;
    LevelScan* level;  ///< which asks and is to be told
    uint32_t list_id;
    EntryPlace place;
    FoundEntry found;
};

class Search {
  public:
    /// `scorer` must outlive this.
    Search(const IndexShape& shape, const BlockScorer& scorer, const SearchOptions& options);

    SearchStep next();

    uint64_t emitted_count() const { return emitted_count_; }
    const LevelScan* inner() const { return root_ ? &*root_ : nullptr; }
    const LevelScan& leaf() const { return *target_; }

  private:
    // What the plan wants before the next row is given out. It changes with what was read and given
    // out, not with every entry that is looked at.
    struct Wanted {
        SpreadOfLists lists{};
        uint64_t at_row = 0;
        uint64_t at_list = 0;
    };

    // The search for further lists that may hold something nearer than the next row.
    struct Reaching {
        float row_key;     // of that row
        double far;        // as ProbePlan::may_reach() takes it
        uint64_t opened;   // lists, when it began
        bool goes_beyond;  // ... the spread, to lists that may_reach()
    };

    bool goes_by_reach() const;
    double remaining_share() const;
    void plan_lists();
    std::optional<LevelScan::Need> open_lists();
    void open_list(const FoundEntry& list);
    bool is_worth_opening(const FoundEntry& list) const;
    bool look_further(bool is_dry);
    Reaching start_reaching();
    SearchStep step_of(LevelScan* level, LevelScan::Need need);

    IndexShape shape_;
    SearchOptions options_;
    std::optional<LevelScan> root_;    // depth 2: the list of lists
    std::optional<LevelScan> target_;  // whose entries are given out
    uint64_t emitted_count_ = 0;
    Wanted wanted_;
    uint64_t due_lists_ = 0;            // so many are opened, whatever they may hold
    std::optional<Reaching> reaching_;  // further lists are being opened
    bool lists_exhausted_ = false;
    float key_scale_;        // of keys that the plan is asked about: BlockScorer::key_scale()
    double far_query_ = 0;   // how far the query lies from all lists
    double far_filter_ = 1;  // whether what the filter leaves lies elsewhere, before the first row
};

}  // namespace lookalike
