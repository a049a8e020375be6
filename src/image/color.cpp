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

constexpr int kFineColors = 60;    // of the palette for the whole picture
constexpr int kCoarseColors = 20;  // of the palette for its parts
constexpr int kFineCells = 12;     // a side, in which pixels are counted
constexpr int kGrid = 3;           // coarse cells a side, which overlap
constexpr float kWholeWeight = 0.5f;
// How far a pixel is shared out over the palette, in units of Lab.
constexpr float kFineSpread = 12;
constexpr float kCoarseSpread = 14;
static_assert(kFineColors + kGrid * kGrid * kCoarseColors == kColorDims);

float linear_light(float value) {
    return value <= 0.04045f ? value / 12.92f : std::pow((value + 0.055f) / 1.055f, 2.4f);
}

// Linear light in 0..1 to CIE Lab under D65.
Lab to_lab(float r, float g, float b) {
    const auto compress = [](float t) {
        return t > 0.008856f ? std::cbrt(t) : 7.787f * t + 16.0f / 116;
    };
    const float x = compress((0.4124f * r + 0.3576f * g + 0.1805f * b) / 0.9505f);
    const float y = compress(0.2126f * r + 0.7152f * g + 0.0722f * b);
    const float z = compress((0.0193f * r + 0.1192f * g + 0.9505f * b) / 1.089f);
    return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

using Palette = std::vector<Lab>;

void add_hues(Palette& palette, float lightness, float chroma, int count, float first) {
    for (int i = 0; i < count; ++i) {
        const float hue = (first + 360.0f * i / count) * std::numbers::pi_v<float> / 180;
        palette.push_back({lightness, chroma * std::cos(hue), chroma * std::sin(hue)});
    }
}

// Greys by lightness, then hues: pale and strong ones, dark to light.
Palette fine_palette() {
    Palette palette;
    for (const float lightness : {4.0f, 24.0f, 44.0f, 64.0f, 84.0f, 98.0f}) {
        palette.push_back({lightness, 0, 0});
    }
    for (const float lightness : {28.0f, 52.0f, 76.0f}) {
        add_hues(palette, lightness, 24, 8, 10);
        add_hues(palette, lightness, 56, 10, 20);
    }
    return palette;
}

Palette coarse_palette() {
    Palette palette;
    for (const float lightness : {6.0f, 38.0f, 70.0f, 97.0f}) {
        palette.push_back({lightness, 0, 0});
    }
    for (const float lightness : {36.0f, 68.0f}) {
        add_hues(palette, lightness, 40, 8, 20);
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

Shares share_out(const Lab& lab, const Palette& palette, float spread) {
    // The nearest colours, best first; a later one of equal distance does not displace an earlier.
    std::array<std::pair<float, uint8_t>, kShareCount> nearest;
    nearest.fill({INFINITY, 0});
    for (size_t i = 0; i < palette.size(); ++i) {
        const float dl = lab.lightness - palette[i].lightness;
        const float da = lab.a - palette[i].a, db = lab.b - palette[i].b;
        std::pair<float, uint8_t> next{dl * dl + da * da + db * db, static_cast<uint8_t>(i)};
        if (next.first >= nearest.back().first) continue;
        for (auto& place : nearest) {
            if (next.first < place.first) std::swap(next, place);
        }
    }
    std::array<float, kShareCount> weights;
    float sum = 0;
    for (int i = 0; i < kShareCount; ++i) {
        weights[i] = std::exp((nearest[0].first - nearest[i].first) / (2 * spread * spread));
        sum += weights[i];
    }
    Shares shares;
    uint32_t rest = kShareSum;
    for (int i = kShareCount - 1; i >= 0; --i) {
        const auto amount = i == 0 ? rest : static_cast<uint32_t>(kShareSum * weights[i] / sum);
        shares.color[i] = nearest[i].second;
        shares.amount[i] = static_cast<uint16_t>(amount);
        rest -= amount;
    }
    return shares;
}

constexpr int kLevels = 32;  // of each channel in the table

using ShareTable = std::vector<Shares>;

ShareTable make_table(const Palette& palette, float spread) {
    std::array<float, kLevels> light;
    for (int i = 0; i < kLevels; ++i) {
        light[i] = linear_light(static_cast<float>(i) / (kLevels - 1));
    }
    ShareTable table;
    table.reserve(kLevels * kLevels * kLevels);
    for (int blue = 0; blue < kLevels; ++blue) {
        for (int green = 0; green < kLevels; ++green) {
            for (int red = 0; red < kLevels; ++red) {
                const Lab lab = to_lab(light[red], light[green], light[blue]);
                table.push_back(share_out(lab, palette, spread));
            }
        }
    }
    return table;
}

const ShareTable& fine_table() {
    static const ShareTable table = make_table(fine_palette(), kFineSpread);
    return table;
}

const ShareTable& coarse_table() {
    static const ShareTable table = make_table(coarse_palette(), kCoarseSpread);
    return table;
}

int table_index(const cv::Vec3b& pixel) {
    return ((pixel[0] >> 3) * kLevels + (pixel[1] >> 3)) * kLevels + (pixel[2] >> 3);
}

template <size_t count>
using Histogram = std::array<float, count>;
template <size_t count>
using Counts = std::array<uint32_t, count>;

template <size_t count>
void add_shares(const Shares& shares, Counts<count>& counts) {
    for (int i = 0; i < kShareCount; ++i) {
        counts[shares.color[i]] += shares.amount[i];
    }
}

// How much fine cell `i` belongs to coarse cell `g`: a hat, so that a small shift of the picture
// changes little.
float membership(int i, int g) {
    const float position = (i + 0.5f) / kFineCells * kGrid - 0.5f;
    const float clamped = std::clamp(position, 0.0f, kGrid - 1.0f);
    return std::max(0.0f, 1 - std::abs(clamped - g));
}

template <typename Values>
void write_roots(const Values& histogram, float weight, std::span<float> out) {
    double sum = 0;
    for (const auto share : histogram) {
        sum += share;
    }
    for (size_t color = 0; color < histogram.size(); ++color) {
        const double share = sum > 0 ? histogram[color] / sum : 0;
        out[color] = static_cast<float>(std::sqrt(weight * share));
    }
}

}  // namespace

void extract_color(const cv::Mat& image, std::span<float> out) {
    const ShareTable& fine_shares = fine_table();
    const ShareTable& coarse_shares = coarse_table();
    Counts<kFineColors> whole{};
    std::array<Counts<kCoarseColors>, kFineCells * kFineCells> cells{};
    for (int y = 0; y < image.rows; ++y) {
        const auto* row = image.ptr<cv::Vec3b>(y);
        const int cell_row = y * kFineCells / image.rows;
        for (int x = 0; x < image.cols; ++x) {
            const int index = table_index(row[x]);
            add_shares(fine_shares[index], whole);
            add_shares(coarse_shares[index],
                       cells[cell_row * kFineCells + x * kFineCells / image.cols]);
        }
    }
    write_roots(whole, kWholeWeight, out.first(kFineColors));
    for (int coarse = 0; coarse < kGrid * kGrid; ++coarse) {
        Histogram<kCoarseColors> histogram{};
        for (int cell = 0; cell < kFineCells * kFineCells; ++cell) {
            const float weight = membership(cell / kFineCells, coarse / kGrid) *
                                 membership(cell % kFineCells, coarse % kGrid);
            for (int color = 0; weight > 0 && color < kCoarseColors; ++color) {
                histogram[color] += weight * static_cast<float>(cells[cell][color]);
            }
        }
        write_roots(histogram, (1 - kWholeWeight) / (kGrid * kGrid),
                    out.subspan(kFineColors + coarse * kCoarseColors, kCoarseColors));
    }
}

}  // namespace lookalike
