#include "image/color.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace lookalike {
namespace {

struct Lab {
    float lightness, a, b;
};

constexpr int kColorCount = 24;  // of the palette that pixels are shared out to
constexpr int kFineCells = 12;   // a side, in which pixels are counted
constexpr int kGrid = 3;         // coarse cells a side, which overlap
constexpr float kGlobalWeight = 0.4f;
constexpr float kSpread = 14;  // of a pixel over the palette, in units of Lab
static_assert((kGrid * kGrid + 1) * kColorCount == kColorDims);

float linear_light(float value) {
    return value <= 0.04045f ? value / 12.92f : std::pow((value + 0.055f) / 1.055f, 2.4f);
}

// sRGB in 0..1 to CIE Lab under D65.
Lab to_lab(float red, float green, float blue) {
    const float r = linear_light(red), g = linear_light(green), b = linear_light(blue);
    const auto compress = [](float t) {
        return t > 0.008856f ? std::cbrt(t) : 7.787f * t + 16.0f / 116;
    };
    const float x = compress((0.4124f * r + 0.3576f * g + 0.1805f * b) / 0.9505f);
    const float y = compress(0.2126f * r + 0.7152f * g + 0.0722f * b);
    const float z = compress((0.0193f * r + 0.1192f * g + 0.9505f * b) / 1.089f);
    return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

// Greys by lightness, then hues dark and light.
std::array<Lab, kColorCount> make_palette() {
    std::array<Lab, kColorCount> palette;
    size_t next = 0;
    for (const float lightness : {4.0f, 28.0f, 50.0f, 72.0f, 86.0f, 98.0f}) {
        palette[next++] = {lightness, 0, 0};
    }
    for (const float lightness : {36.0f, 68.0f}) {
        for (const float degrees :
             {5.0f, 38.0f, 68.0f, 98.0f, 140.0f, 195.0f, 255.0f, 290.0f, 325.0f}) {
            const float hue = degrees * std::numbers::pi_v<float> / 180;
            palette[next++] = {lightness, 44 * std::cos(hue), 44 * std::sin(hue)};
        }
    }
    return palette;
}

// How a colour is shared out: whole numbers, so that sums are exact in any order.
constexpr int kShareCount = 4;
constexpr uint32_t kShareSum = 256;
struct Shares {
    std::array<uint8_t, kShareCount> color;
    std::array<uint16_t, kShareCount> amount;  // together kShareSum
};

Shares share_out(const Lab& lab, const std::array<Lab, kColorCount>& palette) {
    std::array<std::pair<float, int>, kColorCount> nearest;
    for (int i = 0; i < kColorCount; ++i) {
        const float dl = lab.lightness - palette[i].lightness;
        const float da = lab.a - palette[i].a, db = lab.b - palette[i].b;
        nearest[i] = {dl * dl + da * da + db * db, i};
    }
    std::partial_sort(nearest.begin(), nearest.begin() + kShareCount, nearest.end());
    std::array<float, kShareCount> weights;
    float sum = 0;
    for (int i = 0; i < kShareCount; ++i) {
        weights[i] = std::exp((nearest[0].first - nearest[i].first) / (2 * kSpread * kSpread));
        sum += weights[i];
    }
    Shares shares;
    uint32_t rest = kShareSum;
    for (int i = kShareCount - 1; i >= 0; --i) {
        const auto amount = i == 0 ? rest : static_cast<uint32_t>(kShareSum * weights[i] / sum);
        shares.color[i] = static_cast<uint8_t>(nearest[i].second);
        shares.amount[i] = static_cast<uint16_t>(amount);
        rest -= amount;
    }
    return shares;
}

constexpr int kLevels = 32;  // of each channel in the table

const std::vector<Shares>& share_table() {
    static const std::vector<Shares> table = [] {
        const auto palette = make_palette();
        std::vector<Shares> shares;
        shares.reserve(kLevels * kLevels * kLevels);
        const auto level = [](int i) { return static_cast<float>(i) / (kLevels - 1); };
        for (int blue = 0; blue < kLevels; ++blue) {
            for (int green = 0; green < kLevels; ++green) {
                for (int red = 0; red < kLevels; ++red) {
                    shares.push_back(
                        share_out(to_lab(level(red), level(green), level(blue)), palette));
                }
            }
        }
        return shares;
    }();
    return table;
}

using Histogram = std::array<float, kColorCount>;

// Share of each colour in each fine cell, relative to the cell's pixels; an empty cell (the image
// is narrower than the grid) has none.
std::array<Histogram, kFineCells * kFineCells> fine_histograms(const cv::Mat& image) {
    std::array<std::array<uint32_t, kColorCount>, kFineCells * kFineCells> counts{};
    const std::vector<Shares>& table = share_table();
    for (int y = 0; y < image.rows; ++y) {
        const auto* row = image.ptr<cv::Vec3b>(y);
        const int cell_row = y * kFineCells / image.rows;
        for (int x = 0; x < image.cols; ++x) {
            const int entry =
                ((row[x][0] >> 3) * kLevels + (row[x][1] >> 3)) * kLevels + (row[x][2] >> 3);
            const Shares& shares = table[entry];
            auto& count = counts[cell_row * kFineCells + x * kFineCells / image.cols];
            for (int i = 0; i < kShareCount; ++i) {
                count[shares.color[i]] += shares.amount[i];
            }
        }
    }
    std::array<Histogram, kFineCells * kFineCells> histograms;
    const float unit = 1.0f / (static_cast<float>(kShareSum) * image.rows * image.cols);
    for (size_t cell = 0; cell < counts.size(); ++cell) {
        for (int color = 0; color < kColorCount; ++color) {
            histograms[cell][color] = counts[cell][color] * unit;
        }
    }
    return histograms;
}

// How much fine cell `i` belongs to coarse cell `g`: a hat, so that a small shift of the picture
// changes little.
float membership(int i, int g) {
    const float position = (i + 0.5f) / kFineCells * kGrid - 0.5f;
    const float clamped = std::clamp(position, 0.0f, kGrid - 1.0f);
    return std::max(0.0f, 1 - std::abs(clamped - g));
}

void write_roots(const Histogram& histogram, float weight, std::span<float> out) {
    float sum = 0;
    for (const float share : histogram) {
        sum += share;
    }
    for (int color = 0; color < kColorCount; ++color) {
        out[color] = sum > 0 ? std::sqrt(weight * histogram[color] / sum) : 0;
    }
}

}  // namespace

void extract_color(const cv::Mat& image, std::span<float> out) {
    const auto fine = fine_histograms(image);
    Histogram whole{};
    for (const Histogram& cell : fine) {
        for (int color = 0; color < kColorCount; ++color) {
            whole[color] += cell[color];
        }
    }
    write_roots(whole, kGlobalWeight, out.first(kColorCount));
    for (int coarse = 0; coarse < kGrid * kGrid; ++coarse) {
        Histogram histogram{};
        for (int cell = 0; cell < kFineCells * kFineCells; ++cell) {
            const float weight = membership(cell / kFineCells, coarse / kGrid) *
                                 membership(cell % kFineCells, coarse % kGrid);
            for (int color = 0; weight > 0 && color < kColorCount; ++color) {
                histogram[color] += weight * fine[cell][color];
            }
        }
        write_roots(histogram, (1 - kGlobalWeight) / (kGrid * kGrid),
                    out.subspan((1 + coarse) * kColorCount, kColorCount));
    }
}

}  // namespace lookalike
