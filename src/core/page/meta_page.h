// The meta page's checksums: what it says decides how every other page is read.
#pragma once

#include <span>

#include "core/page/checksum.h"
#include "core/page/page_format.h"

namespace lookalike {

/// Zeros have one that is not zero.
inline uint32_t meta_checksum(const MetaPage& meta) {
    return static_cast<uint32_t>(checksum(&meta, offsetof(MetaPage, checksum), 1) >> 32);
}

/// What is wrong with a meta page of this format, or null. Beyond the checksum what others use as a
/// bound, should a faulty page have been sealed.
const char* meta_fault(const MetaPage& meta);

/// Call it after every change.
inline void seal(MetaPage* meta) {
    meta->checksum = meta_checksum(*meta);
}

inline uint32_t mean_checksum(std::span<const float> mean) {
    return static_cast<uint32_t>(checksum(mean.data(), mean.size_bytes()) >> 32);
}

}  // namespace lookalike
