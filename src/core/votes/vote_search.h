// Which rows have many of the features that are asked for: each feature of the query votes for the
// rows that have one alike. docs/LOCAL_FEATURES.md says what a vote weighs.
//
// Reads no pages: choose_lists() says which lists are wanted, whoever has their pages hands them
// in.
#pragma once

#include <span>

#include "core/local/set_match.h"
#include "core/search/entry_filter.h"
#include "core/votes/words.h"

namespace lookalike {

/// So many bits may differ where two features are alike.
constexpr uint32_t kAlikeBits = 24;
/// Of a feature so many of the nearest entries vote, and all that are as near as the last of them.
constexpr uint32_t kVoters = 32;
/// A feature that is in many rows tells little of each: this and what it gives to all of them.
constexpr float kFewRows = 0.1f;

/// What a feature is worth that differs in so many bits.
float vote_weight(uint32_t bits);

struct VotePlan {
    uint32_t lists_per_feature;
    size_t memory_bytes;  ///< for what is found
};

/// A row and its votes.
struct VotedRow {
    uint64_t row;  ///< row_number() of its place
    float votes;
};

/// Places in the table in their order.
inline uint64_t row_number(EntryPointer pointer) {
    return uint64_t{pointer.block()} << 16 | pointer.offset;
}
inline EntryPointer row_place(uint64_t row) {
    return entry_pointer(static_cast<uint32_t>(row >> 16), static_cast<uint16_t>(row));
}

class VoteSearch {
  public:
    struct Counters {
        uint64_t lists_skipped = 0;
        uint64_t entries_scanned = 0;
        uint64_t entries_passed = 0;
        uint64_t entries_alike = 0;
    };

    /// `codes`: those of the query's features, one after the other. The filter may be null.
    VoteSearch(std::vector<uint8_t> codes, const ListGeometry& leaf, const EntryFilter* filter,
               const VotePlan& plan);
    VoteSearch(const VoteSearch&) = delete;

    /// `check` is called every few milliseconds, and throws where the work is to end.
    void choose_lists(Words* words, CheckForEnd check);

    /// The lists that are wanted, in their order.
    size_t list_count() const { return wanted_.size(); }
    uint32_t list(size_t number) const { return wanted_[number].list; }

    /// Before the pages of a list: whether none of its entries can pass the filter.
    bool skip_list(const uint8_t* first_page);

    /// A page of that list. REQUIRES: list_page_fault() found nothing; a page comes once.
    void push_page(size_t number, const uint8_t* page);

    /// Counts the votes, after the last page.
    void count_votes();

    /// Whether there may be entries that are alike and did not vote, as nearer ones did.
    bool has_left_out() const { return left_out_; }

    /// After count_votes(): all pages are to be handed in again, and votes to be counted without
    /// these rows, for what they have left out. `rows` ascend.
    void start_again_without(std::span<const uint64_t> rows);

    /// The next rows, at most `count`: those with the most votes, of equal ones as they lie.
    std::span<const VotedRow> next_rows(size_t count);

    /// Of the lists that are wanted.
    const ListGeometry& leaf() const { return leaf_; }
    const Counters& counters() const { return counters_; }

  private:
    // An entry that is alike: its row, 48 bits, and how many bits differ, 8.
    using Hit = uint64_t;

    // What a feature has found.
    struct Finds {
        uint8_t limit = kAlikeBits;  // bits that may differ
        // How many differ in so many bits; beyond the limit they are forgotten.
        uint32_t counts[kAlikeBits + 1] = {};
        uint32_t within = 0;  // the limit
        std::vector<Hit> hits;
    };

    struct WantedList {
        uint32_t list;
        uint32_t first;  // of its features in wanted_by_
        uint32_t count;
    };

    void push_block(const WantedList& wanted, const ListPageView& page, uint32_t block);
    void push_hits(uint32_t feature, const ListPageView& page, uint32_t block, uint32_t alike,
                   const uint8_t* distances);
    void leave_nearest(Finds* finds);

    std::vector<uint8_t> codes_;
    const ListGeometry leaf_;
    const EntryFilter* filter_;
    VotePlan plan_;
    uint32_t feature_count_;
    size_t most_hits_;  // of a feature that there is memory for
    bool left_out_ = false;
    std::vector<WantedList> wanted_;
    std::vector<uint32_t> wanted_by_;
    std::vector<Finds> finds_;  // of each feature
    std::vector<uint64_t> rows_without_votes_;
    std::vector<VotedRow> rows_;
    size_t given_ = 0;
    Counters counters_;
};

}  // namespace lookalike
