#include "core/search/seen_pages.h"

#include <algorithm>

#include "core/page/list_page.h"

#include "core/no_postgres.h"

namespace lookalike {

SeenPage SeenPages::see(const uint8_t* page, uint32_t block, uint32_t list_id, uint32_t position,
                        bool is_first_time, PageRun* run) {
    const SeenPage seen = find_or_add(block, list_id, position, is_first_time, run);
    // Since the page was read last, an insert may have linked refine pages for its entry.
    std::copy_n(ListPageView(geometry_, page).refine_pages(), geometry_.max_refine_pages,
                refine_pages_.begin() + static_cast<ptrdiff_t>(refine_start(seen.number)));
    return seen;
}

SeenPage SeenPages::find_or_add(uint32_t block, uint32_t list_id, uint32_t position,
                                bool is_first_time, PageRun* run) {
    // Read again, a list mostly shows the same pages in the same order.
    if (position < run->count && pages_[run->first + position].block == block)
        return {run->first + position, false};
    for (uint32_t i = 0; i < pages_.size() && !is_first_time; ++i) {
        if (pages_[i].block == block && pages_[i].list_id == list_id) return {i, false};
    }
    const auto number = static_cast<uint32_t>(pages_.size());
    if (run->count == 0) run->first = number;
    if (run->first + run->count == number) ++run->count;
    pages_.push_back({block, list_id});
    refine_pages_.resize(refine_start(pages_.size()));
    return {number, true};
}

EntryPlace SeenPages::place(uint64_t id) const {
    const uint64_t number = id >> kIndexBits;
    const Page& page = pages_[number];
    const auto index = static_cast<uint32_t>(id & ((uint64_t{1} << kIndexBits) - 1));
    EntryPlace place{page.list_id, page.block, index, {}, 0};
    if (geometry_.slot_bytes == 0) return place;
    const StreamPlace slot = geometry_.slot_place(index);
    place.slot_offset = slot.offset;
    const std::span<const uint32_t> pages(refine_pages_.data() + refine_start(number),
                                          geometry_.max_refine_pages);
    if (pages[slot.page_index] != kNoBlock) place.slot_pages = pages.subspan(slot.page_index);
    return place;
}

}  // namespace lookalike
