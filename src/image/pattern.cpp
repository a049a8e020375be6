#include "image/pattern.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace lookalike {
namespace {

constexpr int kScales = 4;  // each half as large as the one before
constexpr int kOrientations = 8;
constexpr int kFineCells = 10;  // a side, in which gradients are summed
constexpr int kGrid = 5;        // coarse cells a side, which overlap
constexpr int kLayoutScale = 1;
constexpr int kBinaryScales = 3;
constexpr int kBinaryBins = 29;
constexpr int kContrastThreshold = 6;  // of a binary pattern, where the spread of values is kSpread

constexpr uint32_t kEnergyDims = kScales * kOrientations;
constexpr uint32_t kLayoutDims = kGrid * kGrid * kOrientations;
static_assert(kEnergyDims + kLayoutDims + kBinaryScales * kBinaryBins == kPatternDims);

// Shares of the squared length.
constexpr float kEnergyShare = 0.15f;
constexpr float kLayoutShare = 0.45f;
constexpr float kBinaryShare = 0.4f;

struct ColourStatistics {
    cv::Vec3d mean;
    cv::Matx33d covariance;
};

ColourStatistics colour_statistics(const cv::Mat& image) {
    std::array<int64_t, 9> sums{};
    for (int y = 0; y < image.rows; ++y) {
        const auto* row = image.ptr<cv::Vec3b>(y);
        std::array<int, 9> line{};  // 65025 x 30,000 pixels would fit; rows are far shorter
        for (int x = 0; x < image.cols; ++x) {
            const int b = row[x][0], g = row[x][1], r = row[x][2];
            const std::array<int, 9> terms{b, g, r, b * b, g * g, r * r, b * g, b * r, g * r};
            for (size_t i = 0; i < terms.size(); ++i) {
                line[i] += terms[i];
            }
        }
        for (size_t i = 0; i < sums.size(); ++i) {
            sums[i] += line[i];
        }
    }
    const double count = static_cast<double>(image.rows) * image.cols;
    const cv::Vec3d mean(sums[0] / count, sums[1] / count, sums[2] / count);
    const auto covariance = [&](int term, int i, int j) {
        return sums[term] / count - mean[i] * mean[j];
    };
    const double bg = covariance(6, 0, 1), br = covariance(7, 0, 2), gr = covariance(8, 1, 2);
    return {mean, cv::Matx33d(covariance(3, 0, 0), bg, br, bg, covariance(4, 1, 1), gr, br, gr,
                              covariance(5, 2, 2))};
}

// The picture along the axis on which its colours differ most, at a given spread: two colours of
// equal lightness stay apart, and a design looks the same in any two colours, but for the sign.
cv::Mat main_contrast(const cv::Mat& image) {
    constexpr double kSpread = 40;
    constexpr double kLeastSpread = 4;  // what is less is noise, not to be blown up
    const ColourStatistics statistics = colour_statistics(image);
    cv::Matx31d variances;
    cv::Matx33d axes;
    cv::eigen(statistics.covariance, variances, axes);
    const cv::Vec3d axis(axes(0, 0), axes(0, 1), axes(0, 2));
    const double spread = std::sqrt(std::max(0.0, variances(0)));
    const double scale = kSpread / std::max(kLeastSpread, spread);
    const double offset = 128 - scale * axis.dot(statistics.mean);
    cv::Mat out;
    cv::transform(image, out,
                  cv::Matx14d(axis[0] * scale, axis[1] * scale, axis[2] * scale, offset));
    return out;
}

using Gradients = std::array<float, kOrientations>;
using GradientCells = std::array<Gradients, kFineCells * kFineCells>;

// Sums of gradient strength by orientation, without sign: dark on light is light on dark.
GradientCells gradient_cells(const cv::Mat& image) {
    GradientCells cells{};
    cv::Mat across, down, strength, angle;
    cv::Sobel(image, across, CV_32F, 1, 0, 1);
    cv::Sobel(image, down, CV_32F, 0, 1, 1);
    cv::cartToPolar(across, down, strength, angle, true);
    for (int y = 0; y < image.rows; ++y) {
        const float* strengths = strength.ptr<float>(y);
        const float* degrees = angle.ptr<float>(y);
        Gradients* row = &cells[y * kFineCells / image.rows * kFineCells];
        for (int x = 0; x < image.cols; ++x) {
            const float position = degrees[x] * (kOrientations / 180.0f);
            const int low = static_cast<int>(position);
            const float share = position - static_cast<float>(low);
            Gradients& cell = row[x * kFineCells / image.cols];
            cell[low % kOrientations] += strengths[x] * (1 - share);
            cell[(low + 1) % kOrientations] += strengths[x] * share;
        }
    }
    return cells;
}

// How much fine cell `i` belongs to coarse cell `g`: a hat, as a small shift shall change little.
float membership(int i, int g) {
    const float position = (i + 0.5f) / kFineCells * kGrid - 0.5f;
    const float clamped = std::clamp(position, 0.0f, kGrid - 1.0f);
    return std::max(0.0f, 1 - std::abs(clamped - g));
}

void write_layout(const GradientCells& cells, std::span<float> out) {
    for (int coarse = 0; coarse < kGrid * kGrid; ++coarse) {
        for (int cell = 0; cell < kFineCells * kFineCells; ++cell) {
            const float weight = membership(cell / kFineCells, coarse / kGrid) *
                                 membership(cell % kFineCells, coarse % kGrid);
            for (int o = 0; weight > 0 && o < kOrientations; ++o) {
                out[coarse * kOrientations + o] += weight * cells[cell][o];
            }
        }
    }
}

void write_energies(const GradientCells& cells, size_t pixels, std::span<float> out) {
    for (const Gradients& cell : cells) {
        for (int o = 0; o < kOrientations; ++o) {
            out[o] += cell[o] / static_cast<float>(pixels);
        }
    }
}

// Bins of the codes of 8 neighbours, counter-clockwise from the right. One run of ones has a bin by
// its length and its direction, where opposite directions are one; all other codes share the last.
// Codes without ones or without zeros show no pattern.
constexpr uint8_t kNoBin = 255;

std::array<uint8_t, 256> make_binary_bins() {
    std::array<uint8_t, 256> bins;
    for (int code = 0; code < 256; ++code) {
        int runs = 0, ones = 0, start = 0;
        for (int i = 0; i < 8; ++i) {
            const bool bit = code >> i & 1, previous = code >> (i + 7) % 8 & 1;
            ones += bit;
            if (!bit || previous) continue;
            ++runs;
            start = i;
        }
        const int direction = (2 * start + ones - 1) / 2 % 4;
        bins[code] = runs == 0   ? kNoBin
                     : runs == 1 ? static_cast<uint8_t>((ones - 1) * 4 + direction)
                                 : kBinaryBins - 1;
    }
    return bins;
}

// Histogram of local binary patterns: which neighbours are clearly lighter and, in the same bins,
// which are clearly darker, so that exchanging light and dark changes nothing.
void write_binary_patterns(const cv::Mat& image, std::span<float> out) {
    static const std::array<uint8_t, 256> bins = make_binary_bins();
    static constexpr int kAcross[] = {1, 1, 0, -1, -1, -1, 0, 1};
    static constexpr int kDown[] = {0, 1, 1, 1, 0, -1, -1, -1};
    std::array<uint32_t, 256> counts{};
    std::vector<uint8_t> lighter(image.cols), darker(image.cols);
    for (int y = 1; y + 1 < image.rows; ++y) {
        std::fill(lighter.begin(), lighter.end(), 0);
        std::fill(darker.begin(), darker.end(), 0);
        const uint8_t* centre = image.ptr(y);
        for (int i = 0; i < 8; ++i) {
            const uint8_t* neighbour = image.ptr(y + kDown[i]) + kAcross[i];
            const auto bit = static_cast<uint8_t>(1 << i);
            for (int x = 1; x + 1 < image.cols; ++x) {
                const int difference = neighbour[x] - centre[x];
                lighter[x] |= difference > kContrastThreshold ? bit : 0;
                darker[x] |= difference < -kContrastThreshold ? bit : 0;
            }
        }
        for (int x = 1; x + 1 < image.cols; ++x) {
            ++counts[lighter[x]];
            ++counts[darker[x]];
        }
    }
    for (size_t code = 0; code < counts.size(); ++code) {
        if (bins[code] != kNoBin) out[bins[code]] += static_cast<float>(counts[code]);
    }
}

// Roots, so that distances are Hellinger's, at a squared length of `share`.
void write_roots(std::span<float> histogram, float share) {
    double sum = 0;
    for (const float value : histogram) {
        sum += value;
    }
    if (sum == 0) return;
    const double scale = share * kPatternLength * kPatternLength / sum;
    for (float& value : histogram) {
        value = static_cast<float>(std::sqrt(value * scale));
    }
}

}  // namespace

void extract_pattern(const cv::Mat& image, std::span<float> out) {
    std::fill(out.begin(), out.end(), 0);
    const auto energies = out.first(kEnergyDims);
    const auto layout = out.subspan(kEnergyDims, kLayoutDims);
    const auto binary = out.subspan(kEnergyDims + kLayoutDims);
    cv::Mat contrast = main_contrast(image);
    for (int scale = 0; scale < kScales; ++scale) {
        const GradientCells cells = gradient_cells(contrast);
        write_energies(cells, contrast.total(), energies.subspan(scale * kOrientations));
        if (scale == kLayoutScale) write_layout(cells, layout);
        if (scale < kBinaryScales) {
            const auto bins = binary.subspan(scale * kBinaryBins, kBinaryBins);
            write_binary_patterns(contrast, bins);
            write_roots(bins, kBinaryShare / kBinaryScales);
        }
        cv::Mat half;
        cv::resize(contrast, half, {(contrast.cols + 1) / 2, (contrast.rows + 1) / 2}, 0, 0,
                   cv::INTER_AREA);
        contrast = half;
    }
    write_roots(energies, kEnergyShare);
    write_roots(layout, kLayoutShare);
}

}  // namespace lookalike
