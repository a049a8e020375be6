// Fetches the table's rows that a scan will probably give out soon: from disk, and into the
// processor's cache.
#pragma once

#include "am/storage/pages.h"

namespace lookalike {

class RowPrefetcher {
  public:
    /// Call it again when the row has come nearer: what it takes is fetched in two steps, as the
    /// first tells where the second lies. REQUIRES: the block is the table's.
    void expect(Relation table, EntryPointer row);

  private:
    struct Expected {
        EntryPointer row;
        bool is_complete;
        Buffer buffer;  // where its page was; by now it may hold another
    };
    static constexpr uint32 kRemembered = 8;

    Expected expected_[kRemembered];
    uint32 next_;
};

}  // namespace lookalike
