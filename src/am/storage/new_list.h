// Writes a list that nothing leads to yet into an index that is in use: page by page, each a record
// of its own. Entries that come later are appended (list_append.h).
#pragma once

#include "am/storage/pages.h"
#include "core/page/list_page_builder.h"
#include "core/page/list_summary.h"

namespace lookalike {

class NewList {
  public:
    /// A leaf list. `builder` is empty and must outlive this.
    NewList(Relation index, const ListGeometry& geometry, ListPageBuilder* builder)
        : index_(index), geometry_(geometry), builder_(builder) {}

    void add(const EncodedEntry& entry);
    /// Writes what is left; returns the list's first block. An empty list has one empty page.
    BlockNumber finish();

  private:
    void flush();
    BlockNumber write_stream_page(PageKind kind, uint32 position, BlockNumber list_page);
    void link_behind_last(BlockNumber block);

    Relation index_;
    ListGeometry geometry_;
    ListPageBuilder* builder_;
    BlockNumber first_block_ = kNoBlock;
    BlockNumber last_block_ = kNoBlock;
    uint32 page_count_ = 0;
    uint8_t summary_[summary_bytes(kMaxAttributes)] = {};
};

}  // namespace lookalike
