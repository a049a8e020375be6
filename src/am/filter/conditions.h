// Filter attributes: the index's columns after the first, as keys, and conditions on them as
// filters.
#pragma once

#include "pg/server.h"

extern "C" {
#include "access/skey.h"
#include "utils/rel.h"
}

#include "core/search/entry_filter.h"
#include "pg/type/sphere.h"

namespace lookalike {

/// Describes the index's attribute columns in its meta page; raises for a type that has no keys.
void describe_attributes(Relation index, MetaPage* meta);

/// The keys of a row: `values` and `is_null` as aminsert gets them, the descriptor first.
AttributeKeys attribute_keys(Relation index, const AttributeWidths& widths, const Datum* values,
                             const bool* is_null);

/// What the scan keys of a scan ask for.
struct Conditions {
    bool nothing;               ///< no row can match, as in "= NULL"
    bool only_null_features;    ///< descriptor IS NULL
    bool no_null_features;      ///< descriptor IS NOT NULL
    bool recheck_attributes;    ///< keys are lossy: the executor must look
    uint32 sphere_count;        ///< spheres that the descriptor must lie in
    bool has_sphere;            ///< descriptor within `sphere`
    Sphere sphere;              ///< the smallest of all
    const EntryFilter* filter;  ///< null: none; lives in the current memory context

    /// Whether the executor must look, where so many spheres have been seen to.
    bool recheck(uint32 known_spheres) const {
        return recheck_attributes || sphere_count > known_spheres;
    }
};
Conditions read_conditions(Relation index, const AttributeWidths& widths, const ScanKeyData* keys,
                           int key_count);

}  // namespace lookalike
