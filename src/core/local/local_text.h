// The text form of local features, whose numbers are the stored ones, so that nothing is lost:
//
//     orb@1 640x480 {(32768,100,187,64,90,0f3a...),...}
//
// kind and version, width and height of the picture, "mirrored" if it was seen in a mirror, then
// x, y, scale, angle, strength and descriptor of each feature. Never allocates and never throws.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/local/local_features.h"

namespace lookalike {

struct LocalText {
    const char* fault;  ///< null when there is none; what is wrong, as in "expected \"{\""
    size_t offset;      ///< of the fault in the text
    LocalFeaturesHeader header;
};

/// Reads the header and counts the features, so that the caller can allocate.
LocalText read_local_text_header(std::string_view text);

/// Reads all. REQUIRES: read_local_text_header(text) found no fault and gave `header`; room for
/// local_features_bytes(), at a multiple of 4. What it wrote is still to be checked by
/// local_features_fault().
LocalText read_local_text(std::string_view text, const LocalFeaturesHeader& header, uint8_t* bytes);

/// Bytes that format_local_text() may write.
size_t max_local_text_bytes(LocalKind kind, uint32_t count);

/// Returns the length, without a terminating zero. REQUIRES: room for max_local_text_bytes().
size_t format_local_text(const LocalFeatures& features, char* out);

}  // namespace lookalike
