#include "core/page/meta_page.h"

#include <algorithm>

#include "core/local/local_code.h"
#include "core/vector/element.h"
#include "core/vector/metric.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

bool has_known_kinds(const MetaPage& meta) {
    return meta.version == kFormatVersion && static_cast<uint8_t>(meta.metric) < kMetricCount &&
           static_cast<uint8_t>(meta.refine) < kRefineCount && meta.payload_bytes == 0;
}

bool has_sound_content(const MetaPage& meta) {
    if (meta.content == Content::kDescriptors) return meta.local_kind == 0;
    return meta.content == Content::kLocalFeatures && meta.metric == Metric::kHamming &&
           meta.dims == kLocalCodeBits && (meta.local_kind == 0 || is_local_kind(meta.local_kind));
}

bool has_sound_type(const MetaPage& meta) {
    if (meta.value_type == ValueType::kOwn) return true;
    return meta.value_type <= ValueType::kBit && meta.content == Content::kDescriptors &&
           (meta.value_type == ValueType::kBit) == is_binary(meta.metric);
}

bool has_sound_tree(const MetaPage& meta) {
    if (meta.build_id == 0 || meta.leaf_count == 0 || meta.tree_version == kInTree) return false;
    return meta.depth == 1 ? meta.leaf_count == 1 : meta.depth == 2 && meta.dims > 0;
}

// Not yet known, or of a kind that the metric compares.
bool has_sound_shape(const MetaPage& meta) {
    if (meta.dims == 0) return true;
    if (meta.kind >= kKindCount) return false;
    const Kind kind = static_cast<Kind>(meta.kind);
    return (kind == Kind::kBit) == is_binary(meta.metric) && meta.dims <= max_dims(kind);
}

bool has_sound_attributes(const MetaPage& meta) {
    if (meta.attribute_count > kMaxAttributes) return false;
    return std::all_of(meta.attributes, meta.attributes + meta.attribute_count,
                       [](const AttributeFormat& a) { return a.width == 4 || a.width == 8; });
}

}  // namespace

const char* meta_fault(const MetaPage& meta) {
    if (meta.magic != kMetaMagic || meta.checksum != meta_checksum(meta))
        return "the meta page is damaged";
    const bool is_sound = has_known_kinds(meta) && has_sound_tree(meta) && has_sound_shape(meta) &&
                          has_sound_attributes(meta) && has_sound_content(meta) &&
                          has_sound_type(meta);
    return is_sound ? nullptr : "the meta page holds impossible values";
}

}  // namespace lookalike
