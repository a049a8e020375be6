// Feeds a Search with the pages it asks for.
#pragma once

#include "am/storage/loaded_index.h"

namespace lookalike {

/// A query in C++'s world: made once a rescan, destroyed with its memory context.
struct SearchObjects {
    SearchObjects(const IndexShape& shape, const IndexSpace& space, const float* query,
                  double epsilon, const SearchOptions& options,
                  const std::shared_ptr<const RootCopy>& root_copy)
        : scorer(space, query, epsilon), search(shape, scorer, options), root(root_copy) {}
    SearchObjects(const IndexShape& shape, const uint8_t* query, const SearchOptions& options,
                  const std::shared_ptr<const RootCopy>& root_copy)
        : scorer(shape.metric, shape.dims, query),
          search(shape, scorer, options),
          root(root_copy) {}

    BlockScorer scorer;
    Search search;
    std::shared_ptr<const RootCopy> root;
};

/// A search and the buffers for what does not lie in one page. Lives in one memory context.
struct Reader {
    Relation index;
    Search* search;
    const RootCopy* root;  ///< null: not there
    uint8_t* page;         ///< copy of a list page whose codes lie outside
    uint8_t* codes;        ///< of one block
    uint8_t* slot;         ///< that runs over pages
};

/// Prepares a search for `query`, which fits the index, in the current memory context.
Reader* make_reader(Relation index, const LoadedIndex& loaded, const DescriptorView& query,
                    const SearchOptions& options);

/// Reads what the search asks for, up to a step that needs no page of the index: kEmit, kDone, or
/// kMeasure, which comes only where the options say so.
SearchStep next_step(Reader* reader);

/// Copies the refine slot at `place`; false when VACUUM has recycled its pages.
bool copy_slot(Relation index, const ListGeometry& geometry, const EntryPlace& place,
               uint8_t* slot);

}  // namespace lookalike
