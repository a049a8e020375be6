// One list page with its code and refine pages, put together in memory before it is written.
#pragma once

#include <vector>

#include "core/page/list_page.h"

namespace lookalike {

class ListPageBuilder {
  public:
    explicit ListPageBuilder(const ListGeometry& geometry);

    bool is_full() const { return count_ == geometry_.max_entries; }
    uint32_t count() const { return count_; }

    /// REQUIRES: not full.
    void add(const EncodedEntry& entry);

    uint32_t code_page_count() const { return geometry_.code_pages_for(count_); }
    uint32_t refine_page_count() const { return geometry_.refine_pages_for(count_); }
    uint32_t page_count() const { return 1 + code_page_count() + refine_page_count(); }

    /// Copies the bodies to pages that have their header and trailer: the list page with its links
    /// when the pages stand from `first_block` on in this order, then the code and refine pages.
    void fill_list_page(uint8_t* page, uint32_t first_block, uint16_t level) const;
    void fill_code_page(uint8_t* page, uint32_t position) const;
    void fill_refine_page(uint8_t* page, uint32_t position) const;

    void clear();

  private:
    ListGeometry geometry_;
    uint32_t count_ = 0;
    std::vector<uint8_t> page_;
    std::vector<uint8_t> codes_;
    std::vector<uint8_t> refine_;
};

}  // namespace lookalike
