// Writes whole lists to the end of an index that is being built and that nobody else sees.
#pragma once

#include "am/storage/pages.h"
#include "core/page/list_page_builder.h"
#include "core/page/list_summary.h"

namespace lookalike {

/// Pages go to shared buffers without WAL: the build logs them all at its end.
class ListWriter {
  public:
    /// `builder` must outlive this.
    ListWriter(Relation index, const ListGeometry& geometry, ListPageBuilder* builder, uint16 level)
        : index_(index), geometry_(geometry), builder_(builder), level_(level) {}

    void begin();
    void add(const EncodedEntry& entry);
    /// Writes what is left; returns the list's first block. An empty list has one empty page.
    BlockNumber finish();

  private:
    void flush(bool more);
    void finish_first_page(BlockNumber last_block);

    Relation index_;
    ListGeometry geometry_;
    ListPageBuilder* builder_;
    uint16 level_;
    BlockNumber first_block_ = kNoBlock;
    uint32 full_pages_ = 0;
    uint8_t summary_[summary_bytes(kMaxAttributes)];
};

/// A new page at the end of the index, filled in by the caller, which unlocks and releases it.
Buffer add_built_page(Relation index, PageKind kind, BlockNumber list_id, BlockNumber owner);

/// Writes the mean; kNoBlock when it is null.
BlockNumber write_mean(Relation index, const float* mean, uint32 dims);

/// Fills in block 0, which exists already.
void write_meta(Relation index, MetaPage meta);

}  // namespace lookalike
