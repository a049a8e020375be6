// The meta page's checksums: what it says decides how every other page is read.
#pragma once

#include <span>

#include "core/page/checksum.h"
#include "core/page/page_format.h"
#include "core/vector/element.h"

namespace lookalike {

/// Zeros have one that is not zero.
inline uint32_t meta_checksum(const MetaPage& meta) {
    return static_cast<uint32_t>(checksum(&meta, offsetof(MetaPage, checksum), 1) >> 32);
}

/// What is wrong with a meta page of this format, or null. Beyond the checksum what others use as a
/// bound, should a faulty page have been sealed.
inline const char* meta_fault(const MetaPage& meta) {
    if (meta.magic != kMetaMagic || meta.checksum != meta_checksum(meta))
        return "the meta page is damaged";
    bool is_sound =
        meta.version == kFormatVersion && meta.build_id > 0 && meta.depth >= 1 && meta.depth <= 2 &&
        meta.leaf_count > 0 && (meta.depth == 2 ? meta.dims > 0 : meta.leaf_count == 1) &&
        static_cast<uint8_t>(meta.metric) < kMetricCount &&
        static_cast<uint8_t>(meta.refine) < kRefineCount && meta.attribute_count <= kMaxAttributes;
    for (uint32_t i = 0; is_sound && i < meta.attribute_count; ++i)
        is_sound = meta.attributes[i].width == 4 || meta.attributes[i].width == 8;
    if (is_sound && meta.dims > 0) {
        is_sound = meta.kind < kKindCount && meta.dims <= max_dims(static_cast<Kind>(meta.kind));
    }
    return is_sound ? nullptr : "the meta page holds impossible values";
}

/// Call it after every change.
inline void seal(MetaPage* meta) {
    meta->checksum = meta_checksum(*meta);
}

inline uint32_t mean_checksum(std::span<const float> mean) {
    return static_cast<uint32_t>(checksum(mean.data(), mean.size_bytes()) >> 32);
}

}  // namespace lookalike
