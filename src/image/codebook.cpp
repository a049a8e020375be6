#include "image/codebook.h"

#include <algorithm>

#include "image/local_extract.h"

namespace lookalike {

Codebook::Codebook(std::span<const uint8_t> bytes) {
    const auto read = std::as_bytes(bytes);
    bytes_.assign(read.begin(), read.end());
    try {
        view_ = parse_codebook(bytes_);
    } catch (const InvalidCodebook& fault) {
        throw ImageError(ImageFault::kModel, std::string("codebook is damaged: ") + fault.what());
    }
}

void Codebook::describe(std::span<const uint8_t> image, const ImageLimits& limits,
                        std::span<float> result) const {
    const std::vector<uint8_t> value = extract_local_features(
        image,
        {.kind = view_.header.kind, .max_features = view_.header.max_features, .mirrored = false},
        limits);
    describe_by_words(view_, view_local_features(value.data()), result.data());
}

}  // namespace lookalike
