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

enum class NextEntry {
    kFound,    ///< it is given out
    kMeasure,  ///< tell its row's distance: level_of_step().push_distance() or drop_measured()
    kNone,     ///< all have been given out
};

/// Runs the search until it gives out an entry or asks for a distance, which it does only where
/// the options say so.
NextEntry next_entry(Reader* reader, FoundEntry* found);

/// Copies the refine slot at `place`; false when VACUUM has recycled its pages.
bool copy_slot(Relation index, const ListGeometry& geometry, const LevelScan::Place& place,
               uint8_t* slot);

}  // namespace lookalike
