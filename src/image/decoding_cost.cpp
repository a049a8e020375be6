#include "image/decoding_cost.h"

#include <cstring>

namespace lookalike {
namespace {

std::string described(const ImageHeader& header) {
    return std::string(format_name(header.format)) + " image of " + std::to_string(header.width) +
           " x " + std::to_string(header.height) + " pixels";
}

bool has_length(uint8_t marker) {
    return marker != 0x01 && !(marker >= 0xd0 && marker <= 0xd8);
}

uint64_t least_bytes_a_pixel(std::span<const uint8_t> image, const ImageHeader& header) {
    switch (header.format) {
        case ImageFormat::kJpeg2000:
            // OpenJPEG's 32 bits a channel, and the pixels made of them.
            return 5 * uint64_t{header.channels};
        case ImageFormat::kPng: {
            constexpr size_t kBitDepth = 24;
            const bool is_deep = image.size() > kBitDepth && image[kBitDepth] == 16;
            if (!header.has_alpha) return 3;
            return is_deep ? 8 + 4 : 4;  // 16 bits, and 8 made of them
        }
        default:
            return header.has_alpha ? 4 : 3;
    }
}

}  // namespace

uint32_t count_jpeg_scans(std::span<const uint8_t> jpeg) {
    uint32_t scans = 0;
    for (size_t offset = 2; offset + 4 <= jpeg.size();) {
        const void* found = std::memchr(&jpeg[offset], 0xff, jpeg.size() - 3 - offset);
        if (found == nullptr) break;
        offset = static_cast<const uint8_t*>(found) - jpeg.data();
        const uint8_t marker = jpeg[offset + 1];
        if (marker == 0xd9) break;
        if (marker == 0 || marker == 0xff || !has_length(marker)) {
            offset += marker == 0xff ? 1 : 2;
            continue;
        }
        scans += marker == 0xda;
        offset += 2 + (size_t{jpeg[offset + 2]} << 8 | jpeg[offset + 3]);
    }
    return scans;
}

uint64_t least_decoding_bytes(std::span<const uint8_t> image, const ImageHeader& header,
                              uint32_t reduction) {
    const uint64_t pixels = uint64_t{header.width / reduction} * (header.height / reduction);
    return pixels * least_bytes_a_pixel(image, header);
}

void check_decoding_cost(std::span<const uint8_t> image, const ImageHeader& header,
                         uint32_t reduction, const ImageLimits& limits) {
    if (least_decoding_bytes(image, header, reduction) > limits.max_bytes)
        fail_for_memory(ImageFault::kNeedsMemory, header);
    if (header.format != ImageFormat::kJpeg) return;
    const uint32_t scans = count_jpeg_scans(image);
    if (scans > kMaxJpegScans)
        throw ImageError(ImageFault::kTooSlow, described(header) + " in " + std::to_string(scans) +
                                                   " scans takes too long to decode, at most " +
                                                   std::to_string(kMaxJpegScans) +
                                                   " scans are allowed");
}

void fail_for_memory(ImageFault fault, const ImageHeader& header) {
    throw ImageError(fault, described(header) + " takes more memory to decode than there is");
}

}  // namespace lookalike
