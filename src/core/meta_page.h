// The meta page's checksums: what it says decides how every other page is read.
#pragma once

#include <span>

#include "core/checksum.h"
#include "core/page_format.h"

namespace lookalike {

/// Zeros have one that is not zero.
inline uint32_t meta_checksum(const MetaPage& meta) {
    return static_cast<uint32_t>(checksum(&meta, offsetof(MetaPage, checksum), 1) >> 32);
}

inline bool is_intact(const MetaPage& meta) {
    return meta.checksum == meta_checksum(meta);
}

/// Call it after every change.
inline void seal(MetaPage* meta) {
    meta->checksum = meta_checksum(*meta);
}

inline uint32_t mean_checksum(std::span<const float> mean) {
    return static_cast<uint32_t>(checksum(mean.data(), mean.size_bytes()) >> 32);
}

}  // namespace lookalike
