// Bytes that stand for a codebook: what parses describes any local features without a NaN.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/codebook/codebook.h"

using namespace lookalike;

namespace {

/// Features whose descriptors are the input once more.
std::vector<uint8_t> features_of(const CodebookHeader& codebook, std::span<const std::byte> input) {
    const LocalFeaturesHeader header{.kind = codebook.kind,
                                     .version = local_version(codebook.kind),
                                     .mirrored = 0,
                                     .reserved = 0,
                                     .count = 3,
                                     .width = 100,
                                     .height = 100};
    std::vector<uint8_t> value(local_features_bytes(header.kind, header.count));
    const LocalFeaturesParts parts = lay_out_local_features(header, value.data());
    const size_t room = header.count * local_descriptor_bytes(header.kind);
    std::memcpy(parts.descriptors, input.data(), std::min(room, input.size()));
    for (uint32_t i = 0; i < header.count; ++i)
        parts.put(i, {.x = 1, .y = 1, .scale = 1, .angle = 1, .strength = 1});
    return value;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::vector<float> aligned((size + sizeof(float) - 1) / sizeof(float));
    if (size > 0) std::memcpy(aligned.data(), data, size);
    const std::span<const std::byte> bytes = std::as_bytes(std::span(aligned)).first(size);
    try {
        const CodebookView codebook = parse_codebook(bytes);
        const std::vector<uint8_t> value = features_of(codebook.header, bytes);
        std::vector<float> result(codebook.header.dims);
        describe_by_words(codebook, view_local_features(value.data()), result.data());
        for (const float number : result)
            if (!std::isfinite(number)) std::abort();
    } catch (const InvalidCodebook&) {
    }
    return 0;
}
