// Feeds a Search with the pages it asks for.
#pragma once

#include "am/storage/loaded_index.h"

namespace lookalike {

/// A query in C++'s world: made once a rescan, destroyed with its memory context.
struct SearchObjects {
    SearchObjects(const IndexShape& shape, const IndexSpace& space, const float* query,
                  double epsilon, const SearchOptions& options,
                  const std::shared_ptr<const RootCopy>& root_copy)
        : root(root_copy),
          lists(lists_to_read(shape, root_copy)),
          scorer(space, query, epsilon),
          search(shape, scorer, with_lists(options)) {}
    SearchObjects(const IndexShape& shape, const uint8_t* query, const SearchOptions& options,
                  const std::shared_ptr<const RootCopy>& root_copy)
        : root(root_copy),
          lists(lists_to_read(shape, root_copy)),
          scorer(shape.metric, shape.dims, query),
          search(shape, scorer, with_lists(options)) {}

    // A copy has only the lists of its version.
    static std::optional<EntryFilter> lists_to_read(
        const IndexShape& shape, const std::shared_ptr<const RootCopy>& root_copy) {
        if (shape.depth == 1 || root_copy != nullptr) return std::nullopt;
        return filter_of_version(shape.tree_version);
    }
    SearchOptions with_lists(SearchOptions options) const {
        options.lists = lists ? &*lists : nullptr;
        return options;
    }

    std::shared_ptr<const RootCopy> root;
    std::optional<EntryFilter> lists;
    BlockScorer scorer;
    Search search;
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

/// How far below their estimates the bounds of a search lie, as ScanQuery takes it.
double scan_epsilon_of(Relation index, Refine refine);

/// Prepares a search for `query`, which fits the index, in the current memory context.
Reader* make_reader(Relation index, const LoadedIndex& loaded, const DescriptorView& query,
                    const SearchOptions& options);

/// Reads what the search asks for, up to a step that needs no page of the index: kEmit, kDone, or
/// kMeasure, which comes only where the options say so.
SearchStep next_step(Reader* reader);

/// Copies the centroid of a list that a search for lists has given out: padded floats in index
/// space. REQUIRES: no binary metric.
void copy_centroid(Reader* reader, const SearchStep& step, uint32 code_dims, float* centroid);

}  // namespace lookalike
