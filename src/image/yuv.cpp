#include "image/yuv.h"

#include <algorithm>
#include <array>

namespace lookalike {
namespace {

/// Each of blue, green, red is a weighted sum of the three samples and a constant.
struct Conversion {
    std::array<std::array<float, 3>, 3> weights;
    std::array<float, 3> constants;
};

enum Matrix : uint32_t {
    kIdentity = 0,
    kBt709 = 1,
    kFcc = 4,
    kSmpte240 = 7,
    kYCgCo = 8,
    kBt2020 = 9,
    kBt2020Constant = 10,
    kFromPrimaries = 12
};

struct LumaWeights {
    float red, blue;
};

LumaWeights luma_weights(const YuvColour& colour) {
    constexpr uint32_t kWidePrimaries = 9;
    constexpr LumaWeights kOf709{0.2126f, 0.0722f}, kOf2020{0.2627f, 0.0593f};
    switch (colour.matrix) {
        case kBt709:
            return kOf709;
        case kFcc:
            return {0.30f, 0.11f};
        case kSmpte240:
            return {0.212f, 0.087f};
        case kBt2020:
        case kBt2020Constant:
            return kOf2020;
        case kFromPrimaries:
            return colour.primaries == kWidePrimaries ? kOf2020 : kOf709;
        default:  // BT.601, also where nothing is said
            return {0.299f, 0.114f};
    }
}

/// For samples where luma goes from 0 to 1 and chroma from -0.5 to 0.5.
std::array<std::array<float, 3>, 3> ideal_weights(const YuvColour& colour) {
    if (colour.matrix == kIdentity) return {{{0, 1, 0}, {1, 0, 0}, {0, 0, 1}}};
    if (colour.matrix == kYCgCo) return {{{1, -1, -1}, {1, 1, 0}, {1, -1, 1}}};
    const auto [red, blue] = luma_weights(colour);
    const float green = 1 - red - blue;
    return {{{1, 2 * (1 - blue), 0},
             {1, -2 * blue * (1 - blue) / green, -2 * red * (1 - red) / green},
             {1, 0, 2 * (1 - red)}}};
}

Conversion conversion_of(const YuvPicture& picture) {
    const bool is_full = picture.colour.is_full_range;
    const float unit = static_cast<float>(1 << (picture.bits - 8));
    const float white = static_cast<float>((1 << picture.bits) - 1);
    const float black = is_full ? 0 : 16 * unit;
    const float luma_range = is_full ? white : 219 * unit;
    const bool is_rgb = picture.colour.matrix == kIdentity && !picture.is_grey;
    const float chroma_range = is_rgb ? luma_range : is_full ? white : 224 * unit;
    const float chroma_zero = is_rgb ? black : 128 * unit;
    Conversion conversion = {.weights = ideal_weights(picture.colour), .constants = {}};
    for (int channel = 0; channel < 3; ++channel) {
        auto& weights = conversion.weights[channel];
        weights[0] *= 255 / luma_range;
        weights[1] *= 255 / chroma_range;
        weights[2] *= 255 / chroma_range;
        conversion.constants[channel] =
            0.5f - weights[0] * black - (weights[1] + weights[2]) * chroma_zero;
    }
    return conversion;
}

uint8_t clamped(float value) {
    return static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f));
}

template <typename Sample>
const Sample* row_of(const YuvPicture& picture, int plane, int y) {
    return reinterpret_cast<const Sample*>(picture.planes[plane] + y * picture.row_bytes[plane]);
}

template <typename Sample>
void write_bgr_of(const YuvPicture& picture, cv::Mat& out) {
    const auto [weights, constants] = conversion_of(picture);
    for (int y = 0; y < out.rows; ++y) {
        const auto* luma = row_of<Sample>(picture, 0, y);
        const auto* first = row_of<Sample>(picture, 1, y >> picture.chroma_shift_y);
        const auto* second = row_of<Sample>(picture, 2, y >> picture.chroma_shift_y);
        auto* pixels = out.ptr<cv::Vec3b>(y);
        for (int x = 0; x < out.cols; ++x) {
            const int chroma = x >> picture.chroma_shift_x;
            for (int channel = 0; channel < 3; ++channel) {
                pixels[x][channel] = clamped(constants[channel] + weights[channel][0] * luma[x] +
                                             weights[channel][1] * first[chroma] +
                                             weights[channel][2] * second[chroma]);
            }
        }
    }
}

template <typename Sample>
void write_grey_of(const YuvPicture& picture, cv::Mat& out) {
    const float range = picture.colour.is_full_range
                            ? static_cast<float>((1 << picture.bits) - 1)
                            : static_cast<float>(219 << (picture.bits - 8));
    const float black =
        picture.colour.is_full_range ? 0 : static_cast<float>(16 << (picture.bits - 8));
    for (int y = 0; y < out.rows; ++y) {
        const auto* luma = row_of<Sample>(picture, 0, y);
        auto* pixels = out.ptr<uint8_t>(y);
        for (int x = 0; x < out.cols; ++x) {
            pixels[x] = clamped((luma[x] - black) * (255 / range) + 0.5f);
        }
    }
}

}  // namespace

void write_bgr(const YuvPicture& picture, cv::Mat out) {
    if (picture.is_grey) {
        cv::Mat grey(out.size(), CV_8U);
        write_grey(picture, grey);
        const int thrice[] = {0, 0, 0, 1, 0, 2};
        cv::mixChannels(&grey, 1, &out, 1, thrice, 3);
    } else if (picture.bits == 8) {
        write_bgr_of<uint8_t>(picture, out);
    } else {
        write_bgr_of<uint16_t>(picture, out);
    }
}

void write_grey(const YuvPicture& picture, cv::Mat out) {
    picture.bits == 8 ? write_grey_of<uint8_t>(picture, out)
                      : write_grey_of<uint16_t>(picture, out);
}

}  // namespace lookalike
