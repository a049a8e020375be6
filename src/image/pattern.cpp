#include "image/pattern.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <opencv2/imgproc.hpp>

namespace lookalike {
namespace {

float knob(const char* name, float value) {
    (void)name;
    return value;
}

constexpr int kScales = 4;
constexpr int kOrientations = 8;
constexpr int kFineCells = 8;
constexpr int kGrid = 4;
constexpr int kLbpScales = 3;
constexpr int kLbpBins = 38;

cv::Mat main_contrast(const cv::Mat& image) {
    // Covariance of the colours.
    double sum[3] = {}, products[3][3] = {};
    const double count = static_cast<double>(image.rows) * image.cols;
    for (int y = 0; y < image.rows; ++y) {
        const auto* row = image.ptr<cv::Vec3b>(y);
        int64_t line[9] = {};
        for (int x = 0; x < image.cols; ++x) {
            const int b = row[x][0], g = row[x][1], r = row[x][2];
            line[0] += b, line[1] += g, line[2] += r;
            line[3] += b * b, line[4] += g * g, line[5] += r * r;
            line[6] += b * g, line[7] += b * r, line[8] += g * r;
        }
        for (int i = 0; i < 3; ++i)
            sum[i] += line[i], products[i][i] += line[3 + i];
        products[0][1] += line[6], products[0][2] += line[7], products[1][2] += line[8];
    }
    cv::Matx33d covariance;
    for (int i = 0; i < 3; ++i)
        for (int j = i; j < 3; ++j)
            covariance(i, j) = covariance(j, i) =
                products[i][j] / count - sum[i] / count * sum[j] / count;
    static const float lum = knob("LUM", 0.0);
    cv::Vec3d axis(0.114, 0.587, 0.299);
    double variance;
    {
        cv::Matx31d values;
        cv::Matx33d vectors;
        cv::eigen(covariance, values, vectors);
        cv::Vec3d best(vectors(0, 0), vectors(0, 1), vectors(0, 2));
        if (best.dot(axis) < 0) best = -best;
        if (!lum) axis = best;
        variance = axis.dot(cv::Vec3d(covariance * axis));
    }
    static const float floor_sd = knob("FLOORSD", 4);
    const double scale = 40 / std::max<double>(floor_sd, std::sqrt(std::max(0.0, variance)));
    const double mean = (axis[0] * sum[0] + axis[1] * sum[1] + axis[2] * sum[2]) / count;
    const cv::Matx14f projection(axis[0] * scale, axis[1] * scale, axis[2] * scale,
                                 128 - mean * scale);
    cv::Mat out;
    cv::transform(image, out, projection);  // saturates
    return out;
}

using Cells = std::array<std::array<float, kOrientations>, kFineCells * kFineCells>;

Cells gradient_cells(const cv::Mat& image) {
    Cells cells{};
    cv::Mat gx, gy, magnitude, angle;
    cv::Sobel(image, gx, CV_32F, 1, 0, 1);
    cv::Sobel(image, gy, CV_32F, 0, 1, 1);
    cv::cartToPolar(gx, gy, magnitude, angle, true);
    static const float power = knob("POWER", 1);
    for (int y = 0; y < image.rows; ++y) {
        const float* m = magnitude.ptr<float>(y);
        const float* a = angle.ptr<float>(y);
        auto* row = &cells[y * kFineCells / image.rows * kFineCells];
        for (int x = 0; x < image.cols; ++x) {
            const float position = a[x] * (kOrientations / 180.0f);
            const int low = static_cast<int>(position);
            const float share = position - low;
            const float weight = power == 1 ? m[x] : std::pow(m[x], power);
            auto& cell = row[x * kFineCells / image.cols];
            cell[low & 7] += weight * (1 - share);
            cell[(low + 1) & 7] += weight * share;
        }
    }
    return cells;
}

float membership(int i, int g) {
    const float position = (i + 0.5f) / kFineCells * kGrid - 0.5f;
    const float clamped = std::clamp(position, 0.0f, kGrid - 1.0f);
    return std::max(0.0f, 1 - std::abs(clamped - g));
}

void lbp_histogram(const cv::Mat& image, float threshold, std::span<float> out) {
    static const auto bins = [] {
        std::array<uint8_t, 256> bins;
        // uniform: start orientation (mod 4, as 180 degrees are the same) x length 1..7 -> 28, +
        // none/all
        for (int code = 0; code < 256; ++code) {
            int changes = 0, ones = 0, start = 0;
            for (int i = 0; i < 8; ++i) {
                const int bit = code >> i & 1, previous = code >> ((i + 7) % 8) & 1;
                changes += bit != previous;
                ones += bit;
                if (bit && !previous) start = i;
            }
            if (changes > 2)
                bins[code] = 29 + std::min(8, ones);
            else if (ones == 0)
                bins[code] = 0;
            else if (ones == 8)
                bins[code] = 28 + 0 * 1;
            else
                bins[code] = 1 + (ones - 1) * 4 + (2 * start + ones - 1) / 2 % 4;
            if (ones == 8) bins[code] = 0;
        }
        return bins;
    }();
    std::array<uint32_t, 256> counts{};
    std::vector<uint8_t> up(image.cols), down(image.cols);
    const int t = static_cast<int>(threshold);
    for (int y = 1; y + 1 < image.rows; ++y) {
        std::fill(up.begin(), up.end(), 0);
        std::fill(down.begin(), down.end(), 0);
        const uint8_t* centre = image.ptr<uint8_t>(y);
        static constexpr int kDx[] = {1, 1, 0, -1, -1, -1, 0, 1},
                             kDy[] = {0, 1, 1, 1, 0, -1, -1, -1};
        for (int i = 0; i < 8; ++i) {
            const uint8_t* n = image.ptr<uint8_t>(y + kDy[i]) + kDx[i];
            const uint8_t bit = 1 << i;
            for (int x = 1; x + 1 < image.cols; ++x) {
                const int d = n[x] - centre[x];
                up[x] |= d > t ? bit : 0;
                down[x] |= d < -t ? bit : 0;
            }
        }
        for (int x = 1; x + 1 < image.cols; ++x)
            ++counts[up[x]], ++counts[down[x]];
    }
    static const float flat = knob("FLAT", 1);
    counts[0] *= flat;
    float sum = 1e-6;
    for (int code = 0; code < 256; ++code)
        sum += counts[code];
    std::fill(out.begin(), out.end(), 0);
    for (int code = 0; code < 256; ++code)
        out[bins[code]] += counts[code] / sum;
    for (float& value : out)
        value = std::sqrt(value);
}

void normalise(std::span<float> block, float weight) {
    float sum = 0;
    for (float v : block)
        sum += v * v;
    const float scale = sum > 0 ? std::sqrt(weight / sum) : 0;
    for (float& v : block)
        v *= scale;
}

}  // namespace

void extract_pattern(const cv::Mat& image, std::span<float> out) {
    std::fill(out.begin(), out.end(), 0);
    std::array<cv::Mat, kScales> pyramid;
    pyramid[0] = main_contrast(image);
    for (int s = 1; s < kScales; ++s)
        cv::resize(pyramid[s - 1], pyramid[s],
                   {(pyramid[s - 1].cols + 1) / 2, (pyramid[s - 1].rows + 1) / 2}, 0, 0,
                   cv::INTER_AREA);
    static const float wa = knob("WA", 0.25), wb = knob("WB", 0.5), wc = knob("WC", 0.25);
    static const float t = knob("T", 6);
    static const int layout_scale = knob("LS", 1);
    static const float bpow = knob("BPOW", 0.5);
    auto energies = out.subspan(0, kScales * kOrientations);
    auto layout = out.subspan(energies.size(), kGrid * kGrid * kOrientations);
    auto lbp = out.subspan(energies.size() + layout.size(), kLbpScales * kLbpBins);
    for (int s = 0; s < kScales; ++s) {
        const Cells cells = gradient_cells(pyramid[s]);
        for (const auto& cell : cells)
            for (int o = 0; o < kOrientations; ++o)
                energies[s * kOrientations + o] += cell[o];
        const float area = static_cast<float>(pyramid[s].cols) * pyramid[s].rows;
        for (int o = 0; o < kOrientations; ++o)
            energies[s * kOrientations + o] /= area;
        if (s == layout_scale)
            for (int g = 0; g < kGrid * kGrid; ++g)
                for (int c = 0; c < kFineCells * kFineCells; ++c) {
                    const float w = membership(c / kFineCells, g / kGrid) *
                                    membership(c % kFineCells, g % kGrid);
                    for (int o = 0; o < kOrientations; ++o)
                        layout[g * kOrientations + o] += w * cells[c][o];
                }
    }
    for (float& v : energies)
        v = std::sqrt(v);
    for (float& v : layout)
        v = std::pow(v, bpow);
    normalise(energies, wa);
    normalise(layout, wb);
    for (int s = 0; s < kLbpScales; ++s) {
        lbp_histogram(pyramid[s], t, lbp.subspan(s * kLbpBins, kLbpBins));
        normalise(lbp.subspan(s * kLbpBins, kLbpBins), wc / kLbpScales);
    }
}

}  // namespace lookalike
