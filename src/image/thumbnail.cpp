#include <algorithm>
#include <cmath>
#include <opencv2/imgcodecs.hpp>

#include "image/decode.h"

namespace lookalike {

std::vector<uint8_t> make_thumbnail(std::span<const uint8_t> image, uint32_t size,
                                    const ImageLimits& limits) {
    // Half as much again as needed, a side, keeps the thumbnail sharp. A long thin picture is
    // decoded larger than that, which costs time only.
    const ImageHeader header = read_header(image);
    const double longer = std::max(header.width, header.height);
    const double shrink = std::min(1.0, 1.5 * size / longer);
    const auto wanted = static_cast<uint64_t>(shrink * shrink * header.width * header.height);
    const cv::Mat decoded = decode_image(image, limits, wanted);
    const double scale =
        std::min(1.0, size / static_cast<double>(std::max(decoded.cols, decoded.rows)));
    const auto side = [scale](int pixels) {
        return std::max(1, static_cast<int>(std::lround(pixels * scale)));
    };
    const cv::Mat small = resized(decoded, side(decoded.cols), side(decoded.rows));
    std::vector<uint8_t> out;
    cv::imencode(small.channels() == 4 ? ".png" : ".jpg", small, out);
    return out;
}

}  // namespace lookalike
