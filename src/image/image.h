// Images to descriptors. Bytes come from strangers: every function here checks the header before a
// decoder sees the pixels, and throws ImageError for whatever cannot be read. All of it runs on
// the calling thread, and equal input gives equal output.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/no_postgres.h"
#include "core/vector/element.h"
#include "core/vector/metric.h"
#include "image/extractor_spec.h"

namespace lookalike {

class ModelStore;

struct ImageLimits {
    uint64_t max_pixels;  ///< width x height of the stored image, before any scaling
    /// Memory in all: an image whose pixels alone take more is refused before it is decoded.
    uint64_t max_bytes = UINT64_MAX;
};

enum class ImageFault {
    kUnreadable,         ///< damaged, truncated or empty
    kUnsupportedFormat,  ///< a format that is known but not read, or no known image format
    kTooLarge,           ///< more pixels than the limits allow
    kOutOfMemory,        ///< decoding it ran out of memory
    kNeedsMemory,        ///< decoding it takes more memory than the limits allow
    kTooSlow,            ///< decoding it takes far longer than its size
    kBadSpec,            ///< the parts of a specification cannot be combined
    kUnknownExtractor,   ///< no extractor of that name and version
    kModel,              ///< a network that is not loaded, does not load or does not run
};

/// what() is a primary message in PostgreSQL's style: lower case, no period.
class ImageError : public std::runtime_error {
  public:
    ImageError(ImageFault fault, const std::string& message)
        : std::runtime_error(message), fault(fault) {}
    ImageFault fault;
};

/// What the header says. Width and height are the stored ones, before the orientation is applied.
struct ImageInfo {
    std::string format;  ///< "JPEG", "PNG", "WebP", "BMP", "TIFF", "PNM", "JPEG 2000", "GIF",
                         ///< "HEIC", "AVIF"
    uint32_t width;
    uint32_t height;
    uint32_t
        channels;     ///< as stored: 1 grey, 2 grey + alpha, 3 colour (or palette), 4 + alpha/CMYK
    int orientation;  ///< EXIF: 1 to 8; 1 when the file does not say
};

/// Reads the header alone, never pixels.
ImageInfo image_info(std::span<const uint8_t> image);

/// A descriptor's elements, laid out as element_bytes() says.
struct Features {
    Kind kind;
    uint32_t dims;
    std::vector<uint8_t> elements;
};

/// Descriptor of one image. Several parts give the concatenation of their descriptors, each times
/// the square root of its weight: squared L2 distances are the weighted sums of the parts'.
/// `models` may be null when the specification names no network.
Features extract_features(std::span<const uint8_t> image, const ExtractorSpec& spec,
                          const ImageLimits& limits, ModelStore* models);

/// The same for many images, which the networks see in batches. The first image that fails ends
/// the call with its error. `image_read` is called when one has been decoded, in their order.
std::vector<Features> extract_features_batch(std::span<const std::span<const uint8_t>> images,
                                             const ExtractorSpec& spec, const ImageLimits& limits,
                                             ModelStore* models,
                                             const std::function<void()>& image_read = {});

/// An encoded image that fits into size x size, upright and never enlarged: JPEG, or PNG when the
/// source has an alpha channel. REQUIRES: size > 0.
std::vector<uint8_t> make_thumbnail(std::span<const uint8_t> image, uint32_t size,
                                    const ImageLimits& limits);

/// One built-in extractor, for a listing.
struct ExtractorInfo {
    const char* name;
    uint32_t version;
    uint32_t dims;
    Kind kind;
    Metric metric;  ///< the metric that suits it
    const char* description;
};

std::span<const ExtractorInfo> image_extractors();

/// Throws ImageError unless every part names a built-in extractor, a network or a codebook and the
/// parts can be combined. Needs no image and no model.
void check_extractor_spec(const ExtractorSpec& spec);

}  // namespace lookalike
