// What a backend keeps of an index between statements: its meta page's facts and its index space.
#pragma once

#include "am/storage/root_copy.h"
#include "core/search/search.h"

namespace lookalike {

struct LoadedIndex {
    RelationFile file;  ///< REINDEX makes a new one
    uint64_t build_id;
    uint64_t load_number;  ///< another one: read anew, maybe of another build in the same file
    uint64_t last_use;
    MetaPage meta;
    IndexShape shape;
    const IndexSpace* space;  ///< null for binary metrics and while the dimensions are unknown
    std::shared_ptr<const RootCopy> root;  ///< null: to be read page by page
    size_t too_small;  ///< room that did not do for a copy of this version of the root; 0: none

    bool knows_dims() const { return meta.dims > 0; }
    /// Plain while the dimensions are unknown.
    ListGeometry geometry(uint32 level) const {
        return knows_dims() ? shape.levels[level] : plain_list_geometry();
    }
};

/// Reads the meta page, and the mean when this build of the index was not seen before. The result
/// is good until the next call: copy what must live longer.
const LoadedIndex* load_index(Relation index);

/// The same, and the index will be searched. Copies of roots take at most work_mem in all.
const LoadedIndex* load_index_to_search(Relation index);

/// What load_index() has just given will be searched.
void keep_root(Relation index, const LoadedIndex* loaded);

/// Reads the meta page for the planner. False, and never an error, for what the page holds: a scan
/// reports a damaged index.
bool peek_meta(Relation index, MetaPage* meta);

/// The index is built anew in the file that it had: what is kept of it is stale.
void forget_index(Relation index);

/// Raises unless an index of this shape can hold or be asked for such a value; `loaded` knows dims.
/// `hint`: what to do where dimensions differ.
void check_value_fits(Relation index, const LoadedIndex& loaded, const DescriptorView& value,
                      const char* hint = nullptr);

/// Raises unless the metric takes this kind, naming the operator class that does.
void check_metric_takes(Metric metric, Kind kind);

/// The elements as floats: the value's own, or widened into `scratch` (room for dims floats).
const float* as_reals(const DescriptorView& value, float* scratch);

/// True when cosine has no answer for it: every element is zero.
bool has_no_direction(const DescriptorView& value);

}  // namespace lookalike
