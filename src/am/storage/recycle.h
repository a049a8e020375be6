// VACUUM's second half: pages that hold nothing any more go back to the free space map.
#pragma once

#include "pg/server.h"

extern "C" {
#include "access/genam.h"
}

#include "am/storage/pages.h"

namespace lookalike {

/// Takes list pages without entries, but for the first, out of a leaf list's chain, and frees them
/// and their code and refine pages. Skips a page that somebody has pinned.
void recycle_empty_pages(Relation index, BlockNumber list_id, const ListGeometry& geometry,
                         IndexBulkDeleteResult* result);

/// Frees a list page and its code and refine pages. REQUIRES: nothing leads to it.
void free_list_page(Relation index, BlockNumber block, const ListGeometry& geometry,
                    IndexBulkDeleteResult* result);

/// Frees all pages of a leaf list that nobody reads or writes any more, or what is left of it.
void free_list(Relation index, BlockNumber list_id, const ListGeometry& geometry,
               IndexBulkDeleteResult* result);

/// Frees a code or refine page that its list page does not name: a crash came between taking the
/// list page out of its chain and freeing what belonged to it.
void recycle_if_orphan(Relation index, BlockNumber block, const ListGeometry& geometry,
                       IndexBulkDeleteResult* result);

}  // namespace lookalike
