// The list pages that a LevelScan has read. An entry's id is the number of its page and its index
// there, so what a scan has left out can be found again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/page/list_geometry.h"

namespace lookalike {

/// The pages of one list that were seen in a row: numbers first .. first + count - 1.
struct PageRun {
    uint32_t first = 0;
    uint32_t count = 0;
};

struct SeenPage {
    uint32_t number;
    bool is_new;
};

/// Where an entry lies.
struct EntryPlace {
    uint32_t list_id;
    uint32_t list_page;
    uint32_t index;                        ///< in its list page
    std::span<const uint32_t> slot_pages;  ///< from the slot's first on; empty: not linked
    uint32_t slot_offset;                  ///< in the first
};

class SeenPages {
  public:
    explicit SeenPages(const ListGeometry& geometry) : geometry_(geometry) {}

    /// Notes that `page`, which is `block`, is number `position` of the list. `run`: of that list;
    /// it grows while its pages come in a row. `is_first_time`: no page of it was seen when this
    /// reading of the list began.
    SeenPage see(const uint8_t* page, uint32_t block, uint32_t list_id, uint32_t position,
                 bool is_first_time, PageRun* run);

    static uint64_t first_id(uint32_t page_number, uint32_t block) {
        return uint64_t{page_number} << kIndexBits | block * kBlockEntries;
    }
    EntryPlace place(uint64_t id) const;

  private:
    static constexpr uint32_t kIndexBits = 16;

    struct Page {
        uint32_t block;
        uint32_t list_id;
    };

    SeenPage find_or_add(uint32_t block, uint32_t list_id, uint32_t position, bool is_first_time,
                         PageRun* run);
    size_t refine_start(uint64_t page_number) const {
        return page_number * geometry_.max_refine_pages;
    }

    const ListGeometry& geometry_;
    std::vector<Page> pages_;
    std::vector<uint32_t> refine_pages_;  // max_refine_pages for each page
};

}  // namespace lookalike
