// Changing pages of an index: one WAL record each time, in the form of Generic WAL.
//
// PostgreSQL's own writer of such records copies each page and then compares all of it byte by
// byte, which was a fifth of what an insert takes. This one compares words, and only where its
// caller says that something may change. What reads the records is PostgreSQL's, in recovery as on
// a standby.
#pragma once

#include "pg/server.h"

extern "C" {
#include "storage/bufmgr.h"
#include "utils/rel.h"
}

#include <cstdint>
#include <span>

#include "core/page/page_parts.h"

namespace lookalike {

/// A record over up to kMostPages pages, which are locked exclusively. Begin, add pages and change
/// the images that add() gives, then finish; or abort, and nothing has happened.
class PageChange {
  public:
    explicit PageChange(Relation index) : is_logged_(RelationNeedsWAL(index)) {}
    PageChange(const PageChange&) = delete;

    /// The image to change. `is_new`: log the whole page.
    uint8_t* add(Buffer buffer, bool is_new = false);
    /// The same, where nothing else changes than these parts. Of the image only they are there.
    uint8_t* add(Buffer buffer, const PageParts& parts);
    void finish();
    void abort();

  private:
    static constexpr int kMostPages = 2;

    struct ChangedPage {
        Buffer buffer;
        bool is_new;
        PageParts parts;
        uint8_t* image;
        uint8_t* delta;  // where Generic WAL's fragments are made
    };

    uint8_t* add(const ChangedPage& page);
    void free_images();

    bool is_logged_;
    int count_ = 0;
    ChangedPage pages_[kMostPages];
};

}  // namespace lookalike
