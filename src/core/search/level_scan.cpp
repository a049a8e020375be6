#include "core/search/level_scan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/page/list_summary.h"

namespace lookalike {
namespace {

constexpr size_t kSortedAtOnce = 64;
constexpr uint32_t kIndexBits = 16;  // of an id: entry within its list page
constexpr uint64_t kIndexMask = (1u << kIndexBits) - 1;

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
      first_rows_left_(options.first_rows) {}

void LevelScan::open_list(uint32_t first_block, const ScanTerms& terms) {
    lists_.push_back({.first_block = first_block,
                      .terms = terms,
                      .taken = {},
                      .has_taken = false,
                      .to_read = true,
                      .was_read = false,
                      .was_skipped = false,
                      .was_unmatched = false,
                      .first_page = 0,
                      .page_count = 0});
    ++unread_count_;
}

LevelScan::Need LevelScan::need() {
    for (;;) {
        if (find_entry_to_measure()) return Need::kDistance;
        if (find_list_to_read()) return Need::kList;
        is_reading_ = false;
        if (const Candidate* next = next_candidate()) {
            return is_wanted(next->bound) ? Need::kEntry : give_out();
        }
        if (window_.is_complete() || !is_wanted(window_.limit().bound)) return give_out();
        widen();
    }
}

// Equal keys in the order of their rows: the sequence must not depend on how the scan went.
bool LevelScan::comes_later(const FoundEntry& a, const FoundEntry& b) {
    if (a.key != b.key) return a.key > b.key;
    // Distances may differ where a float no longer does.
    if (a.distance != b.distance) return a.distance > b.distance;
    const uint64_t x = uint64_t{a.pointer.block()} << 16 | a.pointer.offset;
    const uint64_t y = uint64_t{b.pointer.block()} << 16 | b.pointer.offset;
    return x > y;
}

float LevelScan::last_key() const {
    return lowest_keys_.size() < first_rows_left_ ? std::numeric_limits<float>::infinity()
                                                  : lowest_keys_[first_rows_left_ - 1];
}

// Keeps the lowest keys of the heap while they matter.
void LevelScan::note_key(float key) {
    if (!has_first_rows()) return;
    lowest_keys_.insert(std::upper_bound(lowest_keys_.begin(), lowest_keys_.end(), key), key);
    if (lowest_keys_.size() > first_rows_left_) lowest_keys_.pop_back();
}

// The best entry that has not been taken; null: the window has no more.
const Candidate* LevelScan::next_candidate() {
    if (taken_ == ready_.size()) ready_ = window_.best(ready_.size() + kSortedAtOnce);
    if (taken_ == ready_.size() || window_.limit() < ready_[taken_]) return nullptr;
    return &ready_[taken_];
}

bool LevelScan::find_list_to_read() {
    if (unread_count_ == 0) return false;
    if (!is_reading_) start_reading();
    while (reading_ < lists_.size() && !lists_[reading_].to_read)
        ++reading_;
    return true;
}

uint32_t LevelScan::following_list() const {
    for (size_t i = reading_ + 1; i < lists_.size(); ++i) {
        if (lists_[i].to_read) return lists_[i].first_block;
    }
    return kNoBlock;
}

// What the window holds competes with what the lists bring, and may have to give way: so the lists
// that it came from must remember what was taken from them.
void LevelScan::forget_taken() {
    if (taken_ > 0) remember_taken(after(ready_[taken_ - 1]));
    window_.forget_best(taken_);
    ready_ = {};
    taken_ = 0;
}

void LevelScan::start_reading() {
    forget_taken();
    is_reading_ = true;
    reading_ = 0;
    pages_read_ = 0;
}

void LevelScan::remember_taken(const Candidate& below) {
    for (List& list : lists_) {
        // The scan codes of a list that was skipped may promise less than its summary did.
        if (!list.was_read || list.was_skipped || (list.has_taken && below < list.taken)) continue;
        list.taken = below;
        list.has_taken = true;
    }
}

// Everything up to the limit has been taken from every list. Now all are read again.
void LevelScan::widen() {
    remember_taken(after(window_.limit()));
    for (List& list : lists_)
        list.to_read = true;
    unread_count_ = lists_.size();
    window_.clear(std::min(window_.capacity() * 2, options_.max_window_capacity));
    ready_ = {};
    taken_ = 0;
}

bool LevelScan::can_skip(const uint8_t* first_page) {
    is_point_ = false;
    if (geometry_.summary_bytes == 0) return false;
    const uint8_t* summary = ListPageView(geometry_, first_page).summary();
    if (options_.filter != nullptr && !options_.filter->may_pass(summary)) return true;
    if (options_.exhaustive) return false;
    ListSummary list;
    std::memcpy(&list, summary, sizeof list);
    is_point_ = options_.thins_ties && scorer_.is_point(lists_[reading_].terms, list.radius);
    is_too_far_ = window_.is_beyond(scorer_.list_bound(lists_[reading_].terms, list.radius).key);
    return is_too_far_;
}

void LevelScan::begin_page(const uint8_t* page, uint32_t block) {
    page_ordinal_ = page_ordinal(block);
    ++pages_read_;
    has_tied_ = false;
    has_untied_ = false;
    // Since the page was read last, an insert may have linked refine pages for its entry.
    const ListPageView view(geometry_, page);
    std::copy_n(view.refine_pages(), geometry_.max_refine_pages,
                refine_pages_.begin() + refine_start(page_ordinal_));
}

uint32_t LevelScan::page_ordinal(uint32_t block) {
    is_page_new_ = false;
    List& list = lists_[reading_];
    // Read again, a list mostly shows the same pages in the same order.
    if (pages_read_ < list.page_count && pages_[list.first_page + pages_read_].block == block) {
        return list.first_page + pages_read_;
    }
    for (uint32_t i = 0; i < pages_.size() && list.was_read; ++i) {
        if (pages_[i].block == block && pages_[i].list == reading_) return i;
    }
    is_page_new_ = true;
    const auto ordinal = static_cast<uint32_t>(pages_.size());
    if (list.page_count == 0) list.first_page = ordinal;
    if (list.first_page + list.page_count == ordinal) ++list.page_count;
    pages_.push_back({block, static_cast<uint32_t>(reading_)});
    refine_pages_.resize(pages_.size() * geometry_.max_refine_pages);
    return ordinal;
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
    const List& list = lists_[reading_];
    const uint64_t first_id = uint64_t{page_ordinal_} << kIndexBits | (block * kBlockEntries);
    float bounds[kBlockEntries];
    if (options_.exhaustive) {
        std::fill_n(bounds, kBlockEntries, -std::numeric_limits<float>::infinity());
    } else {
        live &= scorer_.score(geometry_, codes, page.columns(block), list.terms,
                              window_.highest_bound(), bounds);
    }
    if (live != 0) apply_raised(bounds, first_id);
    if (list.has_taken && !is_page_new_) live = untaken(live, bounds, first_id);
    if (live != 0) window_.push_block(bounds, live, first_id);
    (live != 0 && window_.was_all_ties() ? has_tied_ : has_untied_) = true;
}

uint32_t LevelScan::untaken(uint32_t live, const float* bounds, uint64_t first_id) const {
    const Candidate& taken = lists_[reading_].taken;
    uint32_t mask = 0;
    for (uint32_t i = 0; i < kBlockEntries; ++i) {
        // As the window does: what could not be computed comes first.
        const float bound =
            std::isnan(bounds[i]) ? -std::numeric_limits<float>::infinity() : bounds[i];
        if (!(Candidate{bound, first_id + i} < taken)) mask |= uint32_t{1} << i;
    }
    return live & mask;
}

void LevelScan::finish_list() {
    lists_[reading_].to_read = false;
    lists_[reading_].was_read = true;
    lists_[reading_].was_skipped = false;
    --unread_count_;
    pages_read_ = 0;
    ++counters_.lists_read;
    const bool lets_through =
        options_.filter == nullptr || counters_.entries_passed > passed_before_;
    const bool is_unmatched = !lets_through && !is_too_far_;
    is_too_far_ = false;
    unmatched_count_ += is_unmatched - size_t{lists_[reading_].was_unmatched};
    lists_[reading_].was_unmatched = is_unmatched;
    if (lets_through) counters_.entries_in_matched += counters_.entries_scanned - scanned_before_;
    if (counters_.lists_read <= kNearestLists) passed_nearest_ = counters_.entries_passed;
    scanned_before_ = counters_.entries_scanned;
    passed_before_ = counters_.entries_passed;
}

void LevelScan::skip_list() {
    ++counters_.lists_skipped;
    const bool was_read = lists_[reading_].was_read;
    finish_list();
    lists_[reading_].was_read = was_read;
    lists_[reading_].was_skipped = true;
}

LevelScan::Place LevelScan::place(uint64_t id) const {
    const Page& page = pages_[id >> kIndexBits];
    const auto index = static_cast<uint32_t>(id & kIndexMask);
    Place place{lists_[page.list].first_block, page.block, index, {}, 0};
    if (geometry_.slot_bytes == 0) return place;
    const StreamPlace slot = geometry_.slot_place(index);
    place.slot_offset = slot.offset;
    const std::span<const uint32_t> pages(refine_pages_.data() + refine_start(id >> kIndexBits),
                                          geometry_.max_refine_pages);
    if (pages[slot.page_index] != kNoBlock) place.slot_pages = pages.subspan(slot.page_index);
    return place;
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
    if (const EqualRows* rows = equal_rows(entry)) expect_at(*rows, &entry);
    note_key(entry.key);
    heap_.push_back(entry);
    std::push_heap(heap_.begin(), heap_.end(), comes_later);
    look_for_ties_read(entry, read);
}

FoundEntry LevelScan::pop() {
    std::pop_heap(heap_.begin(), heap_.end(), comes_later);
    const FoundEntry entry = heap_.back();
    heap_.pop_back();
    if (has_first_rows()) {
        --first_rows_left_;
        lowest_keys_.erase(lowest_keys_.begin());
    }
    look_for_ties_given(entry);
    return entry;
}

}  // namespace lookalike
