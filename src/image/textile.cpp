#include "image/textile.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/vector/mixing.h"

namespace lookalike {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr uint32_t kFamilies = 12;
static_assert(kTextileDesigns % kFamilies == 0);

// Not <random>: its distributions differ between standard libraries.
class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed * kMixingStep + 0x1234567) {}

    double below(double limit) {
        return static_cast<double>(mixed(state_ += kMixingStep) >> 11) * 0x1p-53 * limit;
    }
    double between(double low, double high) { return low + below(high - low); }
    int pick(int count) { return static_cast<int>(below(count)); }

  private:
    uint64_t state_;
};

// The place of a thread in its colourway.
enum Yarn : uint8_t { kGround, kMain, kAccent, kDetail };

// What makes one design of a family differ from the next.
struct Design {
    double period;  // pixels a repeat
    double angle;   // of the whole cloth
    double width;   // of bands and motifs, 0 to 1
    double second;  // another proportion, 0 to 1
    int count;      // petals, bands, ...
};

double fraction(double value) {
    return value - std::floor(value);
}

int cell(double value) {
    return static_cast<int>(std::floor(value));
}

int modulo(int value, int divisor) {
    return ((value % divisor) + divisor) % divisor;
}

// All take coordinates in repeats.

Yarn stripes(double u, double, const Design& design) {
    const double at = fraction(u);
    if (at < design.width) return kMain;
    const double line = design.width + (1 - design.width) * 0.5;
    if (std::abs(at - line) < 0.06 * design.count) return kAccent;
    return kGround;
}

Yarn gingham(double u, double v, const Design& design) {
    const bool warp = fraction(u) < design.width, weft = fraction(v) < design.width;
    if (warp && weft) return kMain;
    return warp || weft ? kDetail : kGround;
}

Yarn tartan(double u, double v, const Design& design) {
    const auto band = [&design](double at) {
        const double place = std::abs(fraction(at) - 0.5) * 2;
        if (place < design.width * 0.4) return kMain;
        if (std::abs(place - 0.75) < 0.04) return kAccent;
        return place < design.width ? kDetail : kGround;
    };
    const bool warp_on_top = modulo(cell(u * 24) + cell(v * 24), 4) < 2;
    return warp_on_top ? band(u) : band(v);
}

Yarn dots(double u, double v, const Design& design) {
    const double shift = design.count % 2 == 0 ? 0 : 0.5 * modulo(cell(v), 2);
    const double x = fraction(u + shift) - 0.5, y = fraction(v) - 0.5;
    const double radius = std::hypot(x, y), size = 0.15 + 0.28 * design.width;
    if (radius < size * design.second) return kAccent;
    return radius < size ? kMain : kGround;
}

Yarn herringbone(double u, double v, const Design& design) {
    const int column = cell(u);
    const double slope = modulo(column, 2) == 0 ? u : -u;
    return fraction((v + slope) * design.count) < 0.3 + 0.4 * design.width ? kMain : kGround;
}

Yarn houndstooth(double u, double v, const Design& design) {
    const int warp = cell(u * 8), weft = cell(v * 8);
    const bool warp_on_top = modulo(warp + weft, 4) < 2;
    const int dark = 2 + design.count % 4;
    return modulo(warp_on_top ? warp : weft, 8) < dark ? kMain : kGround;
}

Yarn chevron(double u, double v, const Design& design) {
    const double zigzag = std::abs(fraction(u) - 0.5) * (0.6 + 2 * design.second);
    const double at = fraction(v + zigzag);
    if (at < design.width * 0.6) return kMain;
    return at < design.width * 0.6 + 0.12 ? kAccent : kGround;
}

Yarn waves(double u, double v, const Design& design) {
    const double at = fraction(v + (0.1 + 0.4 * design.second) * std::sin(2 * kPi * u));
    if (at < design.width * 0.7) return kMain;
    return at > 0.92 ? kDetail : kGround;
}

Yarn floral(double u, double v, const Design& design) {
    const int row = cell(v);
    u += 0.5 * modulo(row, 2);
    const double turn = 1.7 * modulo(cell(u) * 3 + row, 5);
    const double x = fraction(u) - 0.5, y = fraction(v) - 0.5;
    const double radius = std::hypot(x, y), angle = std::atan2(y, x) + turn;
    const double size = 0.25 + 0.15 * design.width;
    if (radius < size * 0.28) return kAccent;
    if (radius < size * (0.72 + 0.28 * std::cos((3 + design.count) * angle))) return kMain;
    const double corner = std::hypot(0.5 - std::abs(x), 0.5 - std::abs(y));
    return corner < 0.13 * design.second ? kDetail : kGround;
}

Yarn leaves(double u, double v, const Design& design) {
    const int tilt = modulo(cell(u) + cell(v), 2) == 0 ? 1 : -1;
    const double x = fraction(u) - 0.5, y = fraction(v) - 0.5;
    const double along = (x + tilt * y) * 0.7071, across = (x * tilt - y) * 0.7071;
    const double half_width = (0.1 + 0.14 * design.width) * std::max(0.0, 1 - along * along / 0.2);
    if (std::abs(across) > half_width) return kGround;
    return std::abs(across) < 0.025 ? kAccent : kMain;
}

Yarn argyle(double u, double v, const Design& design) {
    const double x = fraction(u) - 0.5, y = fraction(v) - 0.5;
    const double line = std::abs(std::abs(x) - std::abs(y));
    if (line < 0.02 + 0.02 * design.second) return kAccent;
    const double diamond = std::abs(x) + std::abs(y);
    if (diamond < 0.3 + 0.2 * design.width) return kMain;
    return design.count % 2 == 0 ? kGround : kDetail;
}

Yarn scallops(double u, double v, const Design& design) {
    // Rows overlap like roof tiles: the row below is the one in front.
    for (int step = 1; step >= -1; --step) {
        const double row = std::floor(v * 2) + step;
        const double x = fraction(u + 0.5 * modulo(static_cast<int>(row), 2)) - 0.5;
        const double radius = std::hypot(x, v - row / 2 - 0.25);
        if (radius > 0.5) continue;
        if (radius > 0.5 - 0.12 * design.width) return kAccent;
        return fraction(radius * (1 + design.count)) < 0.5 ? kMain : kGround;
    }
    return kGround;
}

struct Family {
    const char* name;
    Yarn (*weave)(double u, double v, const Design& design);
    double scale;  // of its repeats beside the others'
};

constexpr std::array<Family, kFamilies> kFamilyList{{
    {"stripes", stripes, 0.7},
    {"gingham", gingham, 0.7},
    {"tartan", tartan, 1.8},
    {"dots", dots, 0.8},
    {"herringbone", herringbone, 0.6},
    {"houndstooth", houndstooth, 1.0},
    {"chevron", chevron, 0.8},
    {"waves", waves, 0.8},
    {"floral", floral, 1.3},
    {"leaves", leaves, 1.0},
    {"argyle", argyle, 1.1},
    {"scallops", scallops, 1.0},
}};

Design make_design(uint32_t number) {
    const uint32_t variant = number / kFamilies;
    Random random(1000 + number);
    const double angles[] = {0, kPi / 2, kPi / 4, kPi / 6, -kPi / 4};
    return {
        .period = (26 + 11.0 * variant + random.below(6)) * kFamilyList[number % kFamilies].scale,
        .angle = number % kFamilies == 0 ? angles[variant % 5] : random.between(-0.06, 0.06),
        .width = random.between(0.25, 0.75),
        .second = random.between(0.2, 0.9),
        .count = 2 + random.pick(4)};
}

using Rgb = std::array<uint8_t, 3>;

struct Colourway {
    const char* name;
    std::array<Rgb, 4> yarns;  // by Yarn
    const char* season;
};

constexpr std::array<Colourway, kTextileColourways> kColourwayList{{
    {"navy and cream", {{{244, 236, 216}, {28, 44, 92}, {176, 60, 52}, {128, 140, 168}}}, "SS26"},
    {"rust and sand", {{{224, 204, 168}, {168, 76, 36}, {84, 52, 36}, {200, 140, 96}}}, "AW26"},
    {"forest", {{{36, 68, 48}, {208, 196, 140}, {140, 36, 44}, {92, 120, 80}}}, "AW26"},
    {"rose", {{{248, 220, 224}, {204, 72, 112}, {88, 124, 72}, {232, 152, 172}}}, "SS26"},
    {"black and white",
     {{{248, 248, 248}, {24, 24, 24}, {120, 120, 120}, {184, 184, 184}}},
     "AW25"},
    {"lemon and grey", {{{252, 228, 84}, {88, 92, 100}, {252, 252, 248}, {180, 172, 92}}}, "SS25"},
    {"sky", {{{188, 220, 244}, {44, 112, 184}, {252, 248, 232}, {116, 168, 216}}}, "SS25"},
    {"plum", {{{72, 32, 72}, {204, 156, 208}, {236, 196, 88}, {132, 84, 136}}}, "AW25"},
    {"coral and teal",
     {{{252, 132, 104}, {16, 116, 124}, {252, 236, 212}, {140, 124, 116}}},
     "SS26"},
    {"olive", {{{124, 124, 64}, {44, 48, 28}, {216, 172, 60}, {84, 88, 44}}}, "AW25"},
    {"scarlet", {{{188, 24, 36}, {252, 240, 228}, {28, 28, 52}, {216, 116, 112}}}, "AW26"},
    {"mint and chocolate",
     {{{188, 236, 208}, {88, 56, 40}, {244, 128, 132}, {140, 148, 124}}},
     "SS25"},
}};

constexpr int kSubpixels = 2;  // a side

}  // namespace

TextileSample textile_sample(uint32_t number) {
    const uint32_t design_number = number / kTextileColourways;
    const Family& family = kFamilyList[design_number % kFamilies];
    const Colourway& colourway = kColourwayList[number % kTextileColourways];
    const Design design = make_design(design_number);
    Random random(number);
    TextileSample sample{
        .design_number = design_number,
        .design = std::string(family.name) + " " + std::to_string(design_number / kFamilies + 1),
        .colourway = colourway.name,
        .season = colourway.season,
        .quality = std::string(1, static_cast<char>('A' + random.pick(3))),
        .rgb = {}};
    sample.rgb.reserve(size_t{kTextileSide} * kTextileSide * 3);
    // Each cutting is taken somewhere else from the bale, and a loom is not a printer.
    const double left = random.below(8), top = random.below(8);
    const double cosine = std::cos(design.angle), sine = std::sin(design.angle);
    for (uint32_t y = 0; y < kTextileSide; ++y) {
        for (uint32_t x = 0; x < kTextileSide; ++x) {
            std::array<int, 3> sum{};
            for (int i = 0; i < kSubpixels * kSubpixels; ++i) {
                const double px = x + (i % kSubpixels + 0.5) / kSubpixels;
                const double py = y + (i / kSubpixels + 0.5) / kSubpixels;
                const double u = (px * cosine + py * sine) / design.period + left;
                const double v = (py * cosine - px * sine) / design.period + top;
                const Rgb& yarn = colourway.yarns[family.weave(u, v, design)];
                for (int channel = 0; channel < 3; ++channel) {
                    sum[channel] += yarn[channel];
                }
            }
            const int noise = random.pick(13) - 6;
            for (const int total : sum) {
                const int value = total / (kSubpixels * kSubpixels) + noise;
                sample.rgb.push_back(static_cast<uint8_t>(std::clamp(value, 0, 255)));
            }
        }
    }
    return sample;
}

}  // namespace lookalike
