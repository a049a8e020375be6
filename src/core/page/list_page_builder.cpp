#include "core/page/list_page_builder.h"

#include <algorithm>
#include <cstring>

#include "core/page/refine_slot.h"

namespace lookalike {
namespace {

size_t stream_offset(const StreamPlace& place) {
    return size_t{place.page_index} * kBodyBytes + place.offset;
}

}  // namespace

ListPageBuilder::ListPageBuilder(const ListGeometry& geometry)
    : geometry_(geometry),
      page_(kPageBytes),
      codes_(size_t{geometry.max_code_pages} * kBodyBytes),
      refine_(size_t{geometry.max_refine_pages} * kBodyBytes) {}

void ListPageBuilder::add(const EncodedEntry& entry) {
    const uint32_t index = count_++;
    write_entry(geometry_, page_.data(), index, entry);
    if (!geometry_.codes_inside && geometry_.row_code_bytes > 0) {
        const size_t at = stream_offset(geometry_.code_place(index / kBlockEntries));
        write_code(geometry_, codes_.data() + at, index, entry);
    }
    if (geometry_.slot_bytes > 0) {
        write_slot(refine_.data() + stream_offset(geometry_.slot_place(index)), entry,
                   geometry_.slot_bytes);
    }
}

void ListPageBuilder::fill_list_page(uint8_t* page, uint32_t first_block, uint16_t level) const {
    std::memcpy(page_body(page), page_body(page_.data()), kBodyBytes);
    set_list_level(page, level);
    uint32_t block = first_block;
    for (uint32_t i = 0; i < code_page_count(); ++i)
        set_code_page(geometry_, page, i, ++block);
    for (uint32_t i = 0; i < refine_page_count(); ++i)
        set_refine_page(geometry_, page, i, ++block);
}

void ListPageBuilder::fill_code_page(uint8_t* page, uint32_t position) const {
    std::memcpy(page_body(page), codes_.data() + size_t{position} * kBodyBytes, kBodyBytes);
}

void ListPageBuilder::fill_refine_page(uint8_t* page, uint32_t position) const {
    std::memcpy(page_body(page), refine_.data() + size_t{position} * kBodyBytes, kBodyBytes);
}

// Of wide rows the streams have room for megabytes, of which a short list has written little.
void ListPageBuilder::clear() {
    std::fill(page_.begin(), page_.end(), 0);
    std::fill_n(codes_.begin(), size_t{code_page_count()} * kBodyBytes, 0);
    std::fill_n(refine_.begin(), size_t{refine_page_count()} * kBodyBytes, 0);
    count_ = 0;
}

}  // namespace lookalike
