// Any bytes end in a descriptor and a thumbnail or in our error. A header that was read announces
// at least as many pixels as the decoder then makes.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "image/decode.h"
#include "image/image.h"

using namespace lookalike;

namespace {

constexpr ImageLimits kLimits{.max_pixels = 100'000};

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

void check_descriptor(const Features& features) {
    require(features.elements.size() == element_bytes(features.kind, features.dims),
            "elements have the size of their dimensions");
    for (size_t i = 0; i < features.elements.size(); i += sizeof(float)) {
        float element;
        std::memcpy(&element, features.elements.data() + i, sizeof(element));
        require(std::isfinite(element), "elements are finite");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const ExtractorSpec spec = parse_extractor_spec("color+pattern");
    const std::span<const uint8_t> image(data, size);
    try {
        const ImageHeader header = read_header(image);
        require(header.width > 0 && header.height > 0, "sizes are positive");
        require(header.orientation >= 1 && header.orientation <= 8, "orientation is one of eight");
        const cv::Mat decoded = decode_image(image, kLimits, UINT32_MAX);
        require(decoded.total() <= header.max_pixels, "the header announces all pixels");
        check_descriptor(extract_features(image, spec, kLimits, nullptr));
        require(!make_thumbnail(image, 16, kLimits).empty(), "a thumbnail has bytes");
    } catch (const ImageError&) {
    } catch (const std::bad_alloc&) {
    }
    return 0;
}
