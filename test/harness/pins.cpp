// Writes drawn enamel pins as JPEG files, a table of what they are, and a photograph of a cork
// board with some of them:
//   pins DIRECTORY
// The pictures are the same on every machine, as far as OpenCV draws the same.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr int kSide = 400;
constexpr int kPinCount = 60;
constexpr int kBoardPins = 9;
const cv::Size kBoard(1600, 1200);
constexpr double kPi = std::numbers::pi;

using Colour = cv::Scalar;  // blue, green, red
using Points = std::vector<cv::Point2d>;

struct Random {
    std::mt19937 engine;
    double between(double low, double high) {
        return low + (high - low) * (engine() / 4294967296.0);
    }
    int below(int count) { return static_cast<int>(engine() % static_cast<unsigned>(count)); }
};

/// A pin without its background, and where it is.
struct Pin {
    std::string name, series, season;
    cv::Mat picture, mask;
};

struct Palette {
    const char* name;
    Colour ground, figure, accent, metal;
};
const Palette kPalettes[] = {
    {"navy", {110, 52, 22}, {214, 236, 245}, {60, 170, 240}, {90, 185, 225}},
    {"forest", {60, 92, 30}, {170, 230, 245}, {50, 110, 220}, {175, 180, 185}},
    {"crimson", {48, 28, 170}, {235, 240, 245}, {40, 190, 240}, {90, 185, 225}},
    {"sky", {215, 165, 70}, {250, 250, 250}, {60, 80, 215}, {175, 180, 185}},
    {"plum", {105, 40, 96}, {190, 215, 250}, {120, 200, 90}, {90, 185, 225}},
    {"mustard", {40, 160, 222}, {70, 45, 30}, {235, 240, 245}, {70, 80, 95}},
};
const char* const kShapes[] = {"round", "shield", "hexagon", "square", "oval"};
const char* const kEmblems[] = {"mountain", "sun", "fish", "star", "anchor", "leaf"};
constexpr const char* kWords[kPinCount] = {
    "TRAIL",   "NORTH",  "HARBOR", "CLUB",   "ROVER",  "ATLAS",   "CREW",    "BASIN",   "PEAK",
    "DELTA",   "ORBIT",  "MESA",   "CANYON", "EMBER",  "FJORD",   "GLACIER", "HAVEN",   "ISLAND",
    "JUNIPER", "KAYAK",  "LAGOON", "METEOR", "NOMAD",  "OASIS",   "PRAIRIE", "QUARRY",  "RAPIDS",
    "SUMMIT",  "TUNDRA", "VALLEY", "WILLOW", "YONDER", "ZENITH",  "BEACON",  "COMPASS", "DRIFT",
    "ECHO",    "FALCON", "GROVE",  "HOLLOW", "IVORY",  "JETTY",   "KESTREL", "LANTERN", "MARINA",
    "NIMBUS",  "OSPREY", "PIER",   "QUILL",  "RIDGE",  "SIERRA",  "TIMBER",  "UPLAND",  "VOYAGE",
    "WHARF",   "ALPINE", "BOREAL", "CINDER", "DUNE",   "ESTUARY",
};

std::vector<cv::Point> whole(const Points& points) {
    std::vector<cv::Point> out;
    for (const cv::Point2d& point : points)
        out.emplace_back(static_cast<int>(point.x * 16), static_cast<int>(point.y * 16));
    return out;
}

void fill(cv::Mat& picture, const Points& points, const Colour& colour) {
    cv::fillPoly(picture, std::vector{whole(points)}, colour, cv::LINE_AA, 4);
}

void trace(cv::Mat& picture, const Points& points, const Colour& colour, int width) {
    cv::polylines(picture, whole(points), true, colour, width, cv::LINE_AA, 4);
}

/// A closed line around the middle, `radius` away at each angle.
template <class Radius>
Points around(cv::Point2d middle, int count, Radius&& radius) {
    Points points;
    for (int i = 0; i < count; ++i) {
        const double angle = 2 * kPi * i / count - kPi / 2;
        const double distance = radius(i, angle);
        points.emplace_back(middle.x + distance * std::cos(angle),
                            middle.y + distance * std::sin(angle));
    }
    return points;
}

Points outline_of(int shape, double size) {
    const cv::Point2d middle(kSide / 2.0, kSide / 2.0);
    switch (shape) {
        case 1: {
            const double w = size * 0.86, t = middle.y - size * 0.9;
            Points points{{middle.x - w, t}, {middle.x + w, t}};
            for (int i = 0; i <= 20; ++i) {
                const double u = i / 20.0;
                points.emplace_back(
                    middle.x + w * std::cos(u * kPi) * (1 - 0.25 * std::sin(u * kPi)),
                    middle.y + size * (std::sin(u * kPi) * 0.98 + 0.02));
            }
            return points;
        }
        case 2:
            return around(middle, 6, [&](int, double) { return size; });
        case 3:
            return around(middle, 120, [&](int, double angle) {
                const double x = std::abs(std::cos(angle)), y = std::abs(std::sin(angle));
                return size * 0.84 / std::pow(std::pow(x, 6) + std::pow(y, 6), 1 / 6.0);
            });
        case 4:
            return around(middle, 120, [&](int, double angle) {
                return size * (1 - 0.22 * std::sin(angle) * std::sin(angle));
            });
        default:
            return around(middle, 120, [&](int, double) { return size; });
    }
}

void draw_mountain(cv::Mat& picture, const Palette& palette, Random& random) {
    for (int i = 0; i < 3; ++i) {
        const double x = 120 + 80 * i + random.between(-14, 14), top = random.between(125, 175);
        const double wide = random.between(58, 82);
        fill(picture, {{x - wide, 255}, {x, top}, {x + wide, 255}},
             i % 2 == 0 ? palette.figure : palette.accent);
        fill(picture, {{x - wide / 4, top + 28}, {x, top}, {x + wide / 4, top + 28}, {x, top + 40}},
             i % 2 == 0 ? palette.accent : palette.figure);
    }
}

void draw_sun(cv::Mat& picture, const Palette& palette, Random& random) {
    const int rays = 9 + random.below(8);
    const double inner = random.between(40, 52), outer = random.between(78, 98);
    fill(picture,
         around({200, 185}, 2 * rays, [&](int i, double) { return i % 2 == 0 ? outer : inner; }),
         palette.accent);
    cv::circle(picture, {200, 185}, static_cast<int>(inner), palette.figure, -1, cv::LINE_AA);
    for (int i = -1; i <= 1; i += 2)
        cv::circle(picture, {200 + 15 * i, 176}, 5, palette.ground, -1, cv::LINE_AA);
    cv::ellipse(picture, {200, 190}, {18, 12}, 0, 15, 165, palette.ground, 3, cv::LINE_AA);
}

void draw_fish(cv::Mat& picture, const Palette& palette, Random& random) {
    const int tilt = random.below(30) - 15;
    cv::ellipse(picture, {190, 185}, {78, 38 + random.below(14)}, tilt, 0, 360, palette.figure, -1,
                cv::LINE_AA);
    fill(picture, {{250, 185}, {300, 148}, {288, 188}, {300, 224}}, palette.accent);
    cv::circle(picture, {140, 178}, 9, palette.ground, -1, cv::LINE_AA);
    for (int i = 0; i < 4; ++i)
        cv::ellipse(picture, {172 + 18 * i, 186}, {9, 22}, 0, 110, 250, palette.ground, 3,
                    cv::LINE_AA);
}

void draw_star(cv::Mat& picture, const Palette& palette, Random& random) {
    const int points = 5 + random.below(3);
    const double depth = random.between(0.4, 0.6);
    const auto star = [&](double size) {
        return around({200, 185}, 2 * points,
                      [&](int i, double) { return i % 2 == 0 ? size : size * depth; });
    };
    fill(picture, star(96), palette.figure);
    fill(picture, star(60), palette.accent);
    for (int i = 0; i < 6; ++i)
        cv::circle(picture, {90 + 44 * i, 100 + (i * 37) % 22}, 5, palette.figure, -1, cv::LINE_AA);
}

void draw_anchor(cv::Mat& picture, const Palette& palette, Random& random) {
    const int width = 9 + random.below(5);
    cv::line(picture, {200, 120}, {200, 250}, palette.figure, width, cv::LINE_AA);
    cv::line(picture, {160, 150}, {240, 150}, palette.figure, width, cv::LINE_AA);
    cv::circle(picture, {200, 106}, 17, palette.accent, width - 3, cv::LINE_AA);
    cv::ellipse(picture, {200, 190}, {72, 62}, 0, 12, 168, palette.figure, width, cv::LINE_AA);
    for (int i = -1; i <= 1; i += 2)
        fill(picture, {{200.0 + 80 * i, 178}, {200.0 + 52 * i, 205}, {200.0 + 88 * i, 214}},
             palette.accent);
}

void draw_leaf(cv::Mat& picture, const Palette& palette, Random& random) {
    const double wave = random.between(0.08, 0.2);
    const int lobes = 7 + 2 * random.below(3);
    fill(picture,
         around({200, 180}, 180,
                [&](int, double angle) {
                    return 74 * (1 + wave * std::cos(lobes * angle)) *
                           (1 - 0.25 * std::cos(2 * angle));
                }),
         palette.figure);
    cv::line(picture, {200, 110}, {200, 270}, palette.accent, 6, cv::LINE_AA);
    for (int i = 0; i < 4; ++i)
        for (int side = -1; side <= 1; side += 2)
            cv::line(picture, {200, 150 + 24 * i}, {200 + side * 40, 126 + 24 * i}, palette.accent,
                     3, cv::LINE_AA);
}

using Draw = void (*)(cv::Mat&, const Palette&, Random&);
constexpr Draw kDraws[] = {draw_mountain, draw_sun, draw_fish, draw_star, draw_anchor, draw_leaf};

void draw_word(cv::Mat& picture, const std::string& word, const Palette& palette) {
    const int font = cv::FONT_HERSHEY_DUPLEX;
    const double scale = std::min(1.15, 7.0 / static_cast<double>(word.size()));
    const cv::Size size = cv::getTextSize(word, font, scale, 3, nullptr);
    cv::putText(picture, word, {(kSide - size.width) / 2, 298 + size.height / 2}, font, scale,
                palette.figure, 3, cv::LINE_AA);
}

Pin make_pin(int number) {
    Random random{std::mt19937(static_cast<unsigned>(1000 + number))};
    const int shape = number % static_cast<int>(std::size(kShapes));
    const int emblem = (number / 5) % static_cast<int>(std::size(kEmblems));
    const Palette& palette =
        kPalettes[(number + number / 6) % static_cast<int>(std::size(kPalettes))];
    const std::string word = kWords[number];
    Pin pin;
    pin.name = std::string(kShapes[shape]) + " " + kEmblems[emblem] + ", " + palette.name;
    pin.series = word;
    pin.season = number % 2 == 0 ? "SS26" : "AW26";
    pin.picture = cv::Mat(kSide, kSide, CV_8UC3, palette.metal);
    pin.mask = cv::Mat::zeros(kSide, kSide, CV_8U);
    fill(pin.mask, outline_of(shape, 180), Colour::all(255));
    fill(pin.picture, outline_of(shape, 168), palette.ground);
    cv::Mat figure(kSide, kSide, CV_8UC3, palette.ground);
    cv::Mat inside = cv::Mat::zeros(kSide, kSide, CV_8U);
    kDraws[emblem](figure, palette, random);
    // No two are alike but for their colour.
    cv::warpAffine(
        figure, figure,
        cv::getRotationMatrix2D({200, 185}, random.between(-14, 14), random.between(0.8, 1.02)),
        figure.size(), cv::INTER_AREA, cv::BORDER_REPLICATE);
    draw_word(figure, word, palette);
    fill(inside, outline_of(shape, 153), Colour::all(255));
    figure.copyTo(pin.picture, inside);
    trace(pin.picture, outline_of(shape, 156), palette.metal, 3);
    return pin;
}

/// Light from one side, and a little noise, as a camera has it.
void expose(cv::Mat& picture, Random& random) {
    const double across = random.between(-0.12, 0.12), down = random.between(-0.12, 0.12);
    cv::Mat noise(picture.size(), CV_8UC3);
    cv::theRNG().state = random.engine();
    cv::randn(noise, Colour::all(128), Colour::all(4));
    for (int y = 0; y < picture.rows; ++y)
        for (int x = 0; x < picture.cols; ++x) {
            const double light =
                1 + across * (2.0 * x / picture.cols - 1) + down * (2.0 * y / picture.rows - 1);
            auto& pixel = picture.at<cv::Vec3b>(y, x);
            for (int c = 0; c < 3; ++c)
                pixel[c] = cv::saturate_cast<uint8_t>(pixel[c] * light +
                                                      noise.at<cv::Vec3b>(y, x)[c] - 128);
        }
}

/// Lays a pin on a ground, its shadow first.
void lay(cv::Mat& ground, const Pin& pin, const cv::Mat& movement) {
    cv::Mat mask, picture, shadow;
    cv::warpPerspective(pin.mask, mask, movement, ground.size(), cv::INTER_AREA);
    cv::warpPerspective(pin.picture, picture, movement, ground.size(), cv::INTER_AREA);
    const cv::Mat shift = (cv::Mat_<double>(2, 3) << 1, 0, 5, 0, 1, 8);
    cv::warpAffine(mask, shadow, shift, ground.size());
    cv::GaussianBlur(shadow, shadow, {0, 0}, 7);
    for (int y = 0; y < ground.rows; ++y)
        for (int x = 0; x < ground.cols; ++x) {
            auto& pixel = ground.at<cv::Vec3b>(y, x);
            const double dark = 1 - 0.5 * shadow.at<uint8_t>(y, x) / 255.0;
            const double cover = mask.at<uint8_t>(y, x) / 255.0;
            for (int c = 0; c < 3; ++c)
                pixel[c] = cv::saturate_cast<uint8_t>(pixel[c] * dark * (1 - cover) +
                                                      picture.at<cv::Vec3b>(y, x)[c] * cover);
        }
}

cv::Mat photograph(const Pin& pin, Random& random) {
    cv::Mat picture(kSide, kSide, CV_8UC3, Colour(232, 236, 238));
    lay(picture, pin, cv::Mat::eye(3, 3, CV_64F));
    expose(picture, random);
    return picture;
}

cv::Mat cork(Random& random) {
    cv::Mat board(kBoard, CV_8UC3, Colour(118, 160, 196));
    for (int i = 0; i < 14000; ++i) {
        const cv::Point at(random.below(kBoard.width), random.below(kBoard.height));
        const double shade = random.between(0.72, 1.18);
        cv::ellipse(board, at, {2 + random.below(9), 2 + random.below(6)}, random.below(180), 0,
                    360, Colour(108, 150, 188) * shade, -1, cv::LINE_AA);
    }
    cv::GaussianBlur(board, board, {0, 0}, 1.2);
    return board;
}

/// Turned, smaller, and seen a little from the side.
cv::Mat placement(int place, Random& random) {
    const double x = 290 + 510 * (place % 3) + random.between(-50, 50);
    const double y = 230 + 370 * (place / 3) + random.between(-30, 30);
    const double turn = random.between(-0.7, 0.7), scale = random.between(0.62, 0.82) * kSide / 2;
    std::vector<cv::Point2f> from, to;
    for (int corner = 0; corner < 4; ++corner) {
        const double dx = corner == 1 || corner == 2 ? 1 : -1, dy = corner >= 2 ? 1 : -1;
        from.emplace_back((dx + 1) * kSide / 2, (dy + 1) * kSide / 2);
        to.emplace_back(
            x + scale * (dx * std::cos(turn) - dy * std::sin(turn)) + random.between(-9, 9),
            y + scale * (dx * std::sin(turn) + dy * std::cos(turn)) + random.between(-9, 9));
    }
    return cv::getPerspectiveTransform(from, to);
}

void write(const std::filesystem::path& file, const cv::Mat& picture) {
    if (cv::imwrite(file.string(), picture, {cv::IMWRITE_JPEG_QUALITY, 85})) return;
    std::fprintf(stderr, "cannot write %s\n", file.c_str());
    std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder);
    std::ofstream table(folder / "pins.csv");
    table << "file,name,series,season\n";
    Random random{std::mt19937(7)};
    cv::Mat board = cork(random);
    for (int number = 0; number < kPinCount; ++number) {
        const Pin pin = make_pin(number);
        const std::string file = "pin-" + std::to_string(number) + ".jpg";
        write(folder / file, photograph(pin, random));
        table << file << ",\"" << pin.name << "\"," << pin.series << ',' << pin.season << '\n';
        if (number % 7 == 3 && number / 7 < kBoardPins)
            lay(board, pin, placement(number / 7, random));
    }
    expose(board, random);
    write(folder / "board.jpg", board);
    table.close();
    return table ? 0 : 1;
}
