#include "core/search/level_scan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/page/list_summary.h"

namespace lookalike {
namespace {

constexpr size_t kSortedAtOnce = 64;
// Every candidate is above, or it.
constexpr Candidate kLowest{-std::numeric_limits<float>::infinity(), 0};

// Most blocks are full, and not every processor counts bits.
uint64_t count_bits(uint32_t mask) {
    return mask == ~uint32_t{0} ? kBlockEntries : static_cast<uint64_t>(std::popcount(mask));
}

}  // namespace

LevelScan::LevelScan(const ListGeometry& geometry, const BlockScorer& scorer, Refine refine,
                     const LevelOptions& options)
    : geometry_(geometry),
      scorer_(scorer),
      refine_(options.level > 0 ? Refine::kFloat : refine),
      options_(options),
      window_(options.window_capacity, options.thins_ties),
      pages_(geometry_),
      found_(options.first_rows) {}

void LevelScan::open_list(uint32_t list_id, const ScanTerms& terms) {
    lists_.push_back({.id = list_id,
                      .state = ListState::kUnread,
                      .terms = terms,
                      .taken = kLowest,
                      .pages = {}});
}

LevelScan::Need LevelScan::need() {
    for (;;) {
        if (find_entry_to_measure()) return Need::kDistance;
        if (has_unread()) {
            forget_taken();
            return Need::kList;
        }
        if (const Candidate* next = next_candidate()) {
            return is_wanted(next->bound) ? Need::kEntry : give_out();
        }
        if (window_.is_complete() || !is_wanted(window_.limit().bound)) return give_out();
        widen();
    }
}

// The best entry that has not been taken; null: the window has no more.
const Candidate* LevelScan::next_candidate() {
    if (taken_ == ready_.size()) ready_ = window_.best(ready_.size() + kSortedAtOnce);
    if (taken_ == ready_.size() || window_.limit() < ready_[taken_]) return nullptr;
    return &ready_[taken_];
}

uint32_t LevelScan::following_list() const {
    return reading_.list + 1 < lists_.size() ? lists_[reading_.list + 1].id : kNoBlock;
}

// What the window holds competes with what the lists bring, and may have to give way: so the lists
// that it came from must remember what was taken from them.
void LevelScan::forget_taken() {
    if (taken_ > 0) remember_taken(after(ready_[taken_ - 1]));
    window_.forget_best(taken_);
    ready_ = {};
    taken_ = 0;
}

void LevelScan::remember_taken(const Candidate& below) {
    for (List& list : lists_) {
        // The scan codes of a list that was skipped may promise less than its summary did.
        if (list.state == ListState::kRead) list.taken = std::max(list.taken, below);
    }
}

// Everything up to the limit has been taken from every list. Now all are read again.
void LevelScan::widen() {
    remember_taken(after(window_.limit()));
    for (List& list : lists_)
        list.state = ListState::kUnread;
    unmatched_count_ = 0;
    reading_.list = 0;
    window_.clear(std::min(window_.capacity() * 2, options_.max_window_capacity));
    ready_ = {};
    taken_ = 0;
}

bool LevelScan::skip_list(const uint8_t* first_page) {
    if (geometry_.summary_bytes == 0) return false;
    const uint8_t* summary = ListPageView(geometry_, first_page).summary();
    if (options_.filter != nullptr && !options_.filter->may_pass(summary)) {
        end_list(ListState::kSkipped, true);
        return true;
    }
    if (options_.exhaustive) return false;
    ListSummary list;
    std::memcpy(&list, summary, sizeof list);
    const ScanTerms& terms = lists_[reading_.list].terms;
    reading_.is_point = options_.thins_ties && scorer_.is_point(terms, list.radius);
    if (!window_.is_beyond(scorer_.list_bound(terms, list.radius).key)) return false;
    // That it is too far says nothing about the filter.
    end_list(ListState::kSkipped, false);
    return true;
}

void LevelScan::finish_list() {
    const bool lets_through =
        options_.filter == nullptr || counters_.entries_passed > reading_.entries_passed;
    if (lets_through)
        counters_.entries_in_matched += counters_.entries_scanned - reading_.entries_scanned;
    end_list(ListState::kRead, !lets_through);
}

void LevelScan::end_list(ListState state, bool is_unmatched) {
    lists_[reading_.list].state = state;
    if (is_unmatched) ++unmatched_count_;
    ++counters_.lists_read;
    if (state == ListState::kSkipped) ++counters_.lists_skipped;
    if (counters_.lists_read <= kNearestLists) passed_nearest_ = counters_.entries_passed;
    reading_ = {.list = reading_.list + 1,
                .entries_scanned = counters_.entries_scanned,
                .entries_passed = counters_.entries_passed};
}

void LevelScan::begin_page(const uint8_t* page, uint32_t block) {
    List& list = lists_[reading_.list];
    if (reading_.page_count == 0) reading_.is_first_time = list.pages.count == 0;
    reading_.page =
        pages_.see(page, block, list.id, reading_.page_count, reading_.is_first_time, &list.pages);
    ++reading_.page_count;
    reading_.has_tied = false;
    reading_.has_untied = false;
}

void LevelScan::push_block(const ListPageView& page, uint32_t block, const uint8_t* codes) {
    uint32_t live = page.live(block);
    if (live == 0) return;
    counters_.entries_scanned += count_bits(live);
    if (options_.filter != nullptr) {
        live = options_.filter->passing(page, block, live);
        if (live == 0) return;
    }
    counters_.entries_passed += count_bits(live);
    const List& list = lists_[reading_.list];
    const uint64_t first_id = SeenPages::first_id(reading_.page.number, block);
    float bounds[kBlockEntries];
    if (options_.exhaustive) {
        std::fill_n(bounds, kBlockEntries, -std::numeric_limits<float>::infinity());
    } else {
        live &= scorer_.score(geometry_, codes, page.columns(block), list.terms,
                              window_.highest_bound(), bounds);
    }
    if (live != 0) apply_raised(bounds, first_id);
    if (kLowest < list.taken && !reading_.page.is_new) live = untaken(live, bounds, first_id);
    if (live != 0) window_.push_block(bounds, live, first_id);
    (live != 0 && window_.was_all_ties() ? reading_.has_tied : reading_.has_untied) = true;
}

uint32_t LevelScan::untaken(uint32_t live, const float* bounds, uint64_t first_id) const {
    const Candidate& taken = lists_[reading_.list].taken;
    uint32_t mask = 0;
    for (uint32_t i = 0; i < kBlockEntries; ++i) {
        // As the window does: what could not be computed comes first.
        const float bound =
            std::isnan(bounds[i]) ? -std::numeric_limits<float>::infinity() : bounds[i];
        if (!(Candidate{bound, first_id + i} < taken)) mask |= uint32_t{1} << i;
    }
    return live & mask;
}

void LevelScan::push_slot(const uint8_t* slot) {
    RefineSlotHeader header;
    std::memcpy(&header, slot, sizeof header);
    const uint8_t* code = slot + sizeof header;
    FoundEntry found{};
    found.pointer = header.pointer;
    found.id = ready_[taken_].id;
    if (options_.level > 0) {
        // A list's place in the order needs no bound: its centroid's distance does.
        const auto* centroid = reinterpret_cast<const float*>(code + sizeof(RefineHeader));
        found.terms = scorer_.terms(centroid);
        const float key = found.terms.list_term;
        found.key = std::isnan(key) ? -std::numeric_limits<float>::infinity() : key;
    } else {
        const RefineBound bound = scorer_.refine().lower_bound(refine_, code);
        found.key = bound.key;
        found.distance = bound.distance;
        found.fingerprint = bound.fingerprint;
    }
    push_found(found);
}

void LevelScan::push_pointer(EntryPointer pointer) {
    FoundEntry found{};
    found.key = scanned_bound(ready_[taken_]);
    found.distance = key_to_distance(scorer_.metric(), found.key);
    found.pointer = pointer;
    found.id = ready_[taken_].id;
    // The key is the distance, which for Jaccard has lost digits.
    if (scorer_.metric() == Metric::kJaccard)
        found.fingerprint = std::bit_cast<uint32_t>(found.key) + 1;
    push_found(found);
}

void LevelScan::push_found(FoundEntry entry) {
    const Candidate read = ready_[taken_++];
    ++counters_.entries_refined;
    if (entry.key > options_.key_limit) return;
    const EqualRows* rows = equal_rows(entry);
    if (rows != nullptr && rows->is_measured) expect_at(*rows, &entry);
    found_.push(entry);
    look_for_ties_read(entry, read);
}

FoundEntry LevelScan::pop() {
    const FoundEntry entry = found_.pop();
    look_for_ties_given(entry);
    return entry;
}

}  // namespace lookalike
