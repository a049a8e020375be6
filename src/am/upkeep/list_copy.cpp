#include "am/upkeep/list_copy.h"

#include "am/storage/stream.h"
#include "core/page/refine_slot.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

constexpr uint32 kNoCodes = ~uint32{0};
// Bits of so many bytes are read by themselves: of a block of them hardly any go to the same list.
constexpr uint32 kBytesToReadAlone = 1024;

void copy_page(ListCopier* copier) {
    CHECK_FOR_INTERRUPTS();
    check_chain(copier->index, copier->list, copier->position);
    copier->next_block = copy_page_of_list(copier->index, copier->block, copier->list,
                                           copier->geometry, copier->page);
    copier->next_index = 0;
    copier->codes_of_block = kNoCodes;
}

uint32* seen_masks(ListCopier* copier) {
    const uint32 words = copier->geometry.max_blocks;
    if (copier->position >= copier->seen_pages) {
        const uint32 pages = 2 * copier->seen_pages + 4;
        const size_t old_bytes = sizeof(uint32) * size_t{copier->seen_pages} * words;
        const size_t bytes = sizeof(uint32) * size_t{pages} * words;
        copier->seen = static_cast<uint32*>(
            copier->seen == nullptr ? palloc(bytes) : repalloc_huge(copier->seen, bytes));
        memset(reinterpret_cast<uint8_t*>(copier->seen) + old_bytes, 0, bytes - old_bytes);
        copier->seen_pages = pages;
    }
    return copier->seen + size_t{copier->position} * words;
}

const uint8_t* read_slot(ListCopier* copier, uint32 index) {
    const StreamStretch stretch =
        slot_stretch(copier->geometry, copier->page, copier->block, index);
    if (!copy_stretch(copier->index, stretch, copier->slot) ||
        !is_intact(copier->slot, copier->geometry.slot_bytes))
        raise_corrupted(copier->index, stretch.pages[0], "a refine slot is damaged");
    return copier->slot + sizeof(RefineSlotHeader);
}

// Of a block of the page.
const uint8_t* read_codes(ListCopier* copier, uint32 block) {
    if (!copier->geometry.codes_inside && copier->codes_of_block == block) return copier->codes;
    const uint8_t* codes = codes_of_block(copier->index, copier->geometry, copier->page,
                                          copier->block, block, copier->codes);
    if (codes == nullptr) raise_corrupted(copier->index, copier->block, "a code page is missing");
    copier->codes_of_block = block;
    return codes;
}

const uint8_t* read_bits(ListCopier* copier, uint32 index) {
    const ListGeometry& geometry = copier->geometry;
    if (!geometry.codes_inside && geometry.row_code_bytes >= kBytesToReadAlone) {
        const StreamStretch stretch = bits_stretch(geometry, copier->page, copier->block, index);
        if (!copy_stretch(copier->index, stretch, copier->codes))
            raise_corrupted(copier->index, copier->block, "a code page is missing");
        return copier->codes;
    }
    return read_codes(copier, index / kBlockEntries) +
           size_t{index % kBlockEntries} * geometry.row_code_bytes;
}

// Of a row that cannot be fetched, its scan code tells about where it is.
const uint8_t* read_row_code(ListCopier* copier, const ListPageView& view, uint32 index) {
    if (fetch_row_vector(copier->rows, view.pointer(index), copier->row_code) == FetchedRow::kFound)
        return copier->row_code;
    const uint32 lane = index % kBlockEntries;
    const uint8_t* codes = read_codes(copier, index / kBlockEntries);
    const ScanColumns columns = view.columns(index / kBlockEntries);
    const ScanFactors factors{columns.base[lane], columns.scale[lane], columns.error[lane]};
    run_core([&] {
        get_code(codes, lane, copier->signs, size_t{copier->geometry.row_code_bytes} * 2);
        const double besides =
            decode_scan_code(*copier->space, factors, copier->signs, copier->centroid,
                             row_code_vector(copier->row_code));
        row_code_header(copier->row_code) = {.rounding = 0, .besides = round_up(besides)};
    });
    return copier->row_code;
}

}  // namespace

ListCopier* make_list_copier(Relation index, BlockNumber list, const ListGeometry& geometry) {
    auto* copier = static_cast<ListCopier*>(palloc0(sizeof(ListCopier)));
    copier->index = index;
    copier->list = list;
    copier->geometry = geometry;
    copier->page = static_cast<uint8_t*>(palloc(BLCKSZ));
    copier->codes = static_cast<uint8_t*>(palloc(geometry.block_code_bytes + 1));
    copier->slot = static_cast<uint8_t*>(palloc(geometry.slot_bytes + 1));
    return copier;
}

ListCopier* make_row_copier(Relation index, BlockNumber list, const ListGeometry& geometry,
                            RowVectors* rows, const IndexSpace* space, const float* centroid) {
    ListCopier* copier = make_list_copier(index, list, geometry);
    copier->rows = rows;
    copier->space = space;
    copier->centroid = centroid;
    copier->signs = static_cast<uint8_t*>(palloc(geometry.row_code_bytes));
    copier->row_code = static_cast<uint8_t*>(palloc(row_code_bytes(space->padded_dims())));
    return copier;
}

void start_reading(ListCopier* copier, Reading reading) {
    if (reading == Reading::kAll && copier->seen != nullptr)
        memset(copier->seen, 0,
               sizeof(uint32) * size_t{copier->seen_pages} * copier->geometry.max_blocks);
    copier->reading = reading;
    copier->block = copier->list;
    copier->position = 0;
    copy_page(copier);
}

bool next_entry(ListCopier* copier) {
    for (;;) {
        const ListPageView view(copier->geometry, copier->page);
        uint32* seen = seen_masks(copier);
        while (copier->next_index < view.entry_places()) {
            const uint32 i = copier->next_index++;
            const uint32 bit = uint32{1} << (i % kBlockEntries);
            const bool was_seen = (seen[i / kBlockEntries] & bit) != 0;
            if (!view.is_live(i) || was_seen != (copier->reading == Reading::kSeen)) continue;
            seen[i / kBlockEntries] |= bit;
            return true;
        }
        if (copier->next_block == kNoBlock) return false;
        copier->block = copier->next_block;
        ++copier->position;
        copy_page(copier);
    }
}

ListEntry read_entry(ListCopier* copier) {
    const ListPageView view(copier->geometry, copier->page);
    const uint32 index = copier->next_index - 1;
    ListEntry entry{.pointer = view.pointer(index),
                    .attributes = read_attributes(view, index),
                    .code = nullptr};
    if (copier->geometry.slot_bytes > 0) {
        entry.code = read_slot(copier, index);
    } else if (copier->rows != nullptr) {
        entry.code = read_row_code(copier, view, index);
    } else {
        entry.code = read_bits(copier, index);
    }
    return entry;
}

}  // namespace lookalike
