#include "image/decode.h"

#include <algorithm>
#include <new>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "image/bytes.h"
#include "image/decoding_cost.h"
#include "image/gif.h"
#include "image/heif.h"
#include "image/jpeg2000.h"
#include "image/opencv_setup.h"

namespace lookalike {
namespace {

/// The longest side that the decoder of a format takes: libjpeg, libpng, OpenCV.
uint32_t longest_side(ImageFormat format) {
    switch (format) {
        case ImageFormat::kJpeg:
            return 65'500;
        case ImageFormat::kPng:
            return 1'000'000;
        default:
            return 1 << 20;
    }
}

/// Says why an image could not be decoded: it need not be damaged.
[[noreturn]] void fail_unreadable(const ImageHeader& header) {
    const std::string name = format_name(header.format);
    const auto fail_unsupported = [](const std::string& kind) {
        throw ImageError(ImageFault::kUnsupportedFormat, kind + " are not supported");
    };
    if (!header.rare_kind.empty()) fail_unsupported(header.rare_kind + " images");
    const uint32_t most_pixels = longest_side(header.format);
    if (std::max(header.width, header.height) > most_pixels) {
        fail_unsupported(name + " images of more than " + std::to_string(most_pixels) +
                         " pixels a side");
    }
    throw ImageError(ImageFault::kUnreadable,
                     "could not decode " + name + " image: it is damaged or incomplete");
}

void check_limits(const ImageHeader& header, const ImageLimits& limits) {
    if (header.max_pixels <= limits.max_pixels) return;
    throw ImageError(ImageFault::kTooLarge,
                     std::string(format_name(header.format)) + " image of " +
                         std::to_string(header.width) + " x " + std::to_string(header.height) +
                         " pixels is too large, at most " + std::to_string(limits.max_pixels) +
                         " pixels are allowed");
}

// What libjpeg can do while decoding is far cheaper than decoding all and shrinking.
int reduction_of(const ImageHeader& header, uint64_t wanted_pixels) {
    if (header.format != ImageFormat::kJpeg) return 1;
    const uint64_t pixels = uint64_t{header.width} * header.height;
    for (const int denominator : {8, 4, 2}) {
        if (pixels / (denominator * denominator) >= wanted_pixels) return denominator;
    }
    return 1;
}

/// What a caller wants of the pixels.
enum class Pixels { kAsStored, kOpaque, kGrey };

int read_flags(const ImageHeader& header, uint64_t wanted_pixels) {
    // A BMP's fourth channel is mostly padding. IMREAD_UNCHANGED keeps the orientation as stored.
    if (header.has_alpha) return cv::IMREAD_UNCHANGED;
    int flags = cv::IMREAD_COLOR;
    switch (reduction_of(header, wanted_pixels)) {
        case 2:
            flags = cv::IMREAD_REDUCED_COLOR_2;
            break;
        case 4:
            flags = cv::IMREAD_REDUCED_COLOR_4;
            break;
        case 8:
            flags = cv::IMREAD_REDUCED_COLOR_8;
            break;
        default:
            break;
    }
    return flags | cv::IMREAD_IGNORE_ORIENTATION;
}

cv::Mat to_eight_bits(const cv::Mat& image) {
    if (image.depth() == CV_8U) return image;
    const double scale = image.depth() == CV_16U ? 1 / 257.0 : 255;
    cv::Mat narrowed;
    image.convertTo(narrowed, CV_8U, scale);
    return narrowed;
}

cv::Mat to_colour(const cv::Mat& image) {
    if (image.channels() != 1) return image;
    cv::Mat colour;
    cv::cvtColor(image, colour, cv::COLOR_GRAY2BGR);
    return colour;
}

cv::Mat upright(const cv::Mat& image, int orientation) {
    cv::Mat turned = image;
    if (orientation >= 5) turned = image.t();
    switch (orientation) {
        case 2:
        case 6:
            cv::flip(turned.clone(), turned, 1);
            break;
        case 3:
        case 7:
            cv::flip(turned.clone(), turned, -1);
            break;
        case 4:
        case 8:
            cv::flip(turned.clone(), turned, 0);
            break;
        default:
            break;
    }
    return turned;
}

cv::Mat read_by_opencv(std::span<const uint8_t> image, const ImageHeader& header, int flags) {
    if (image.size() > INT32_MAX) fail_unreadable(header);
    const cv::Mat bytes(1, static_cast<int>(image.size()), CV_8U,
                        const_cast<uint8_t*>(image.data()));
    try {
        return cv::imdecode(bytes, flags);
    } catch (const cv::Exception& exception) {
        if (exception.code == cv::Error::StsNoMem) throw std::bad_alloc();
        fail_unreadable(header);
    }
}

/// As stored: the orientation is not applied.
cv::Mat read_pixels(std::span<const uint8_t> image, const ImageHeader& header,
                    uint64_t wanted_pixels, Pixels wanted) {
    try {
        if (header.format == ImageFormat::kGif) return decode_gif(Bytes(image));
        if (header.format == ImageFormat::kHeic || header.format == ImageFormat::kAvif)
            return decode_heif(Bytes(image), header.max_pixels);
        if (header.format == ImageFormat::kJpeg2000) return decode_jpeg2000(Bytes(image));
        int flags = read_flags(header, wanted_pixels);
        // A JPEG has its grey by itself.
        if (wanted == Pixels::kGrey && header.format == ImageFormat::kJpeg)
            flags &= ~cv::IMREAD_COLOR;
        if (!header.is_animated) return read_by_opencv(image, header, flags);
        return read_by_opencv(first_webp_frame(image), header, flags);
    } catch (const BytesEnd&) {
        fail_unreadable(header);
    }
}

cv::Mat to_grey(const cv::Mat& image) {
    if (image.channels() == 1) return image;
    cv::Mat grey;
    cv::cvtColor(composed_on_white(image), grey, cv::COLOR_BGR2GRAY);
    return grey;
}

cv::Mat as_wanted(const cv::Mat& image, Pixels wanted) {
    switch (wanted) {
        case Pixels::kGrey:
            return to_grey(image);
        case Pixels::kOpaque:
            return composed_on_white(to_colour(image));
        case Pixels::kAsStored:
            break;
    }
    return to_colour(image);
}

cv::Mat decode(std::span<const uint8_t> image, const ImageHeader& header, uint64_t wanted_pixels,
               Pixels wanted) {
    const cv::Mat stored = read_pixels(image, header, wanted_pixels, wanted);
    if (stored.empty() || stored.channels() == 2) fail_unreadable(header);
    // OpenCV turns TIFF images itself, whatever the flags say.
    const int orientation = header.format == ImageFormat::kTiff ? 1 : header.orientation;
    return upright(as_wanted(to_eight_bits(stored), wanted), orientation);
}

// All that takes memory by an image's pixels.
cv::Mat decode_within(std::span<const uint8_t> image, const ImageLimits& limits,
                      uint64_t wanted_pixels, Pixels wanted) {
    set_up_opencv();
    const ImageHeader header = read_header(image);
    check_limits(header, limits);
    check_decoding_cost(image, header, reduction_of(header, wanted_pixels), limits);
    try {
        return decode(image, header, wanted_pixels, wanted);
    } catch (const std::bad_alloc&) {
        fail_for_memory(ImageFault::kOutOfMemory, header);
    } catch (const cv::Exception& exception) {
        if (exception.code == cv::Error::StsNoMem)
            fail_for_memory(ImageFault::kOutOfMemory, header);
        throw;
    }
}

}  // namespace

cv::Mat decode_image(std::span<const uint8_t> image, const ImageLimits& limits,
                     uint64_t wanted_pixels) {
    return decode_within(image, limits, wanted_pixels, Pixels::kAsStored);
}

cv::Mat decode_opaque_image(std::span<const uint8_t> image, const ImageLimits& limits,
                            uint64_t wanted_pixels) {
    return decode_within(image, limits, wanted_pixels, Pixels::kOpaque);
}

cv::Mat decode_grey_image(std::span<const uint8_t> image, const ImageLimits& limits,
                          uint64_t wanted_pixels) {
    return decode_within(image, limits, wanted_pixels, Pixels::kGrey);
}

cv::Mat composed_on_white(const cv::Mat& image) {
    if (image.channels() != 4) return image;
    cv::Mat composed(image.size(), CV_8UC3);
    for (int y = 0; y < image.rows; ++y) {
        const auto* in = image.ptr<cv::Vec4b>(y);
        auto* out = composed.ptr<cv::Vec3b>(y);
        for (int x = 0; x < image.cols; ++x) {
            const int alpha = in[x][3];
            for (int channel = 0; channel < 3; ++channel) {
                const int sum = in[x][channel] * alpha + 255 * (255 - alpha);
                out[x][channel] = static_cast<uint8_t>((sum + 127) / 255);
            }
        }
    }
    return composed;
}

cv::Mat resized(const cv::Mat& image, int width, int height) {
    if (image.cols == width && image.rows == height) return image;
    const bool shrinks = int64_t{width} * height < int64_t{image.cols} * image.rows;
    cv::Mat out;
    cv::resize(image, out, {width, height}, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
    return out;
}

}  // namespace lookalike
