// How well local features find a picture again that was changed, cropped, pasted onto another one,
// or is not there. Reads file names from standard input, one a line; every fourth file is left out
// of the base and asked for as absent. docs/LOCAL_FEATURES.md says what comes of it.
//
//   find FOLDER -name '*.jpg' | shuf | build/cmake/local_quality [base] [queries] [kind] [stored]
//   [asked]
//
// With HALF=0 it asks for one half of the pictures, with HALF=1 for the other: to choose by one and
// to report by the other. ONLY=crop asks one group. With SHOW_WRONG set it names the pictures that
// came instead; with DUMP=FOLDER it writes what it compared for test/bench/local_index.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <opencv2/features2d.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <string>
#include <thread>

#include "core/local/local_text.h"
#include "core/local/set_match.h"
#include "image/decode.h"
#include "image/local_extract.h"

namespace lookalike {
namespace {

using Bytes = std::vector<uint8_t>;
constexpr ImageLimits kLimits{.max_pixels = 100'000'000};

Bytes read_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Bytes jpeg(const cv::Mat& image, int quality) {
    Bytes bytes;
    cv::imencode(".jpg", image, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
    return bytes;
}

cv::Mat at_most(const cv::Mat& image, int longer) {
    const double scale = static_cast<double>(longer) / std::max(image.cols, image.rows);
    if (scale >= 1) return image;
    return resized(image, std::max(1L, std::lround(image.cols * scale)),
                   std::max(1L, std::lround(image.rows * scale)));
}

using Random = std::mt19937;
double between(Random& random, double low, double high) {
    return low + (high - low) * (random() / 4294967296.0);
}

cv::Mat part(const cv::Mat& image, double share, Random& random) {
    const int width = std::max(1, static_cast<int>(image.cols * share));
    const int height = std::max(1, static_cast<int>(image.rows * share));
    const int left = static_cast<int>(between(random, 0, image.cols - width));
    const int top = static_cast<int>(between(random, 0, image.rows - height));
    return image(cv::Rect(left, top, width, height)).clone();
}

/// Turned to 20 degrees, scaled by 0.6 to 0.9, a tenth cropped, brighter or darker.
cv::Mat changed(const cv::Mat& image, Random& random) {
    const cv::Point2f middle(image.cols / 2.0f, image.rows / 2.0f);
    const double scale = between(random, 0.6, 0.9);
    cv::Mat turn = cv::getRotationMatrix2D(middle, between(random, -20, 20), scale);
    cv::Mat turned, crop;
    turn.at<double>(0, 2) += image.cols * scale / 2 - middle.x;
    turn.at<double>(1, 2) += image.rows * scale / 2 - middle.y;
    cv::warpAffine(image, turned, turn,
                   cv::Size(std::max(1, static_cast<int>(image.cols * scale)),
                            std::max(1, static_cast<int>(image.rows * scale))),
                   cv::INTER_AREA, cv::BORDER_REPLICATE);
    crop = part(turned, 0.9, random);
    crop.convertTo(crop, -1, between(random, 0.8, 1.2), between(random, -20, 20));
    return crop;
}

/// `image` 40 % as large on `ground`.
cv::Mat pasted(const cv::Mat& image, const cv::Mat& ground, Random& random) {
    cv::Mat scene;
    cv::resize(ground, scene, cv::Size(640, 480), 0, 0, cv::INTER_AREA);
    const double scale = 0.4 * 640 / std::max(image.cols, image.rows);
    cv::Mat small = resized(image, std::max(1L, std::lround(image.cols * scale)),
                            std::max(1L, std::lround(image.rows * scale)));
    const int left = static_cast<int>(between(random, 0, scene.cols - small.cols));
    const int top = static_cast<int>(between(random, 0, scene.rows - small.rows));
    small.copyTo(scene(cv::Rect(left, top, small.cols, small.rows)));
    return scene;
}

struct Group {
    const char* name;
    uint32_t features_times;  // of the asked
    bool is_absent;
};
constexpr Group kGroups[] = {
    {"changed", 1, false},  {"crop", 1, false},  {"clutter", 2, false},      {"jpeg 20", 1, false},
    {"mirrored", 1, false}, {"absent", 1, true}, {"absent clutter", 2, true}};

struct Options {
    size_t base = 2000, queries = 200;
    LocalKind kind = LocalKind::kOrb;
    uint32_t stored = 150, asked = 600;
};

struct Picture {
    std::string file;
    Bytes local;
};

Bytes extract(const cv::Mat& image, const Options& options, uint32_t count, bool mirrored,
              int quality = 90) {
    return extract_local_features(jpeg(image, quality), {options.kind, count, mirrored}, kLimits);
}

cv::Mat load(const std::string& file) {
    return at_most(decode_opaque_image(read_file(file), kLimits, 640 * 640), 640);
}

cv::Mat query_of(const Group& group, const cv::Mat& image, const cv::Mat& ground, Random& random) {
    const std::string name = group.name;
    if (name == "changed" || name == "absent") return changed(image, random);
    if (name == "crop") return part(image, 0.5, random);
    if (name == "clutter" || name == "absent clutter") return pasted(image, ground, random);
    cv::Mat result = image.clone();
    if (name == "mirrored") cv::flip(image, result, 1);
    return result;
}

template <class Work>
void on_all_cores(size_t count, Work&& work) {
    std::atomic<size_t> next = 0;
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < std::thread::hardware_concurrency(); ++t)
        threads.emplace_back([&] {
            for (size_t i = next++; i < count; i = next++)
                work(i);
        });
    for (std::thread& thread : threads)
        thread.join();
}

struct Answer {
    size_t rank = 0;        // of the source
    double own = 1;         // its distance
    double best_other = 1;  // the least of others
    std::string best_file;
    Bytes query;
};

Answer ask(const Bytes& query, const std::vector<Picture>& base, size_t source) {
    Answer answer;
    const LocalFeatures asked = view_local_features(query.data());
    std::vector<double> distances(base.size());
    for (size_t i = 0; i < base.size(); ++i)
        distances[i] = match_sets(view_local_features(base[i].local.data()), asked).distance();
    if (source < base.size()) answer.own = distances[source];
    for (size_t i = 0; i < base.size(); ++i) {
        if (i == source) continue;
        if (distances[i] <= answer.own) ++answer.rank;
        if (distances[i] < answer.best_other) {
            answer.best_other = distances[i];
            answer.best_file = base[i].file;
        }
    }
    return answer;
}

void show_speed(const std::vector<Picture>& base, const Options& options,
                const std::vector<std::string>& files) {
    using Clock = std::chrono::steady_clock;
    const auto seconds = [](Clock::time_point from) {
        return std::chrono::duration<double>(Clock::now() - from).count();
    };
    std::vector<Bytes> pictures;
    for (size_t i = 0; i < std::min<size_t>(100, files.size()); ++i)
        pictures.push_back(jpeg(load(files[i]), 90));
    for (int round = 0; round < 2; ++round) {
        auto start = Clock::now();
        for (const Bytes& picture : pictures)
            extract_local_features(picture, {options.kind, options.stored, false}, kLimits);
        const double ours = seconds(start);
        start = Clock::now();
        for (const Bytes& picture : pictures) {
            const cv::Mat grey = cv::imdecode(picture, cv::IMREAD_GRAYSCALE);
            std::vector<cv::KeyPoint> points;
            cv::Mat descriptors;
            if (options.kind == LocalKind::kOrb)
                cv::ORB::create(static_cast<int>(options.stored))
                    ->detectAndCompute(grey, cv::noArray(), points, descriptors);
            else
                cv::SIFT::create(static_cast<int>(options.stored))
                    ->detectAndCompute(grey, cv::noArray(), points, descriptors);
        }
        std::printf("extraction %.2f ms, OpenCV's own %.2f ms\n",
                    ours * 1000 / static_cast<double>(pictures.size()),
                    seconds(start) * 1000 / static_cast<double>(pictures.size()));
    }
    const Bytes query =
        extract_local_features(pictures[0], {options.kind, options.asked, false}, kLimits);
    const auto start = Clock::now();
    double sum = 0;
    for (const Picture& picture : base)
        sum +=
            match_sets(view_local_features(picture.local.data()), view_local_features(query.data()))
                .weight;
    std::printf("comparison %.1f us (%g)\n",
                seconds(start) * 1e6 / static_cast<double>(base.size()), sum);
}

/// Pictures that are in the base, and pictures that are not.
struct Files {
    std::vector<std::string> base, absent;
};

Files read_files(size_t base_count) {
    Files files;
    std::string line;
    for (size_t i = 0; std::getline(std::cin, line); ++i)
        (i % 4 == 3 ? files.absent : files.base).push_back(line);
    files.base.resize(std::min(files.base.size(), base_count));
    return files;
}

std::vector<Picture> extract_base(const Files& files, const Options& options) {
    std::vector<Picture> base(files.base.size());
    on_all_cores(base.size(), [&](size_t i) {
        base[i] = {files.base[i], extract(load(files.base[i]), options, options.stored, false)};
    });
    double features = 0;
    for (const Picture& picture : base)
        features += view_local_features(picture.local.data()).count();
    std::printf("%zu pictures, %.1f features a picture\n", base.size(),
                features / static_cast<double>(base.size()));
    return base;
}

/// Evenly from the pictures that the group asks for.
size_t source_of(const Group& group, const Files& files, size_t query, size_t query_count) {
    const size_t from = group.is_absent ? files.absent.size() : files.base.size();
    const char* half = std::getenv("HALF");
    if (half == nullptr) return query * from / query_count;
    return (2 * query + std::strtoul(half, nullptr, 10) % 2) * from / (2 * query_count);
}

std::vector<Answer> answers_of(const Group& group, const Files& files,
                               const std::vector<Picture>& base, const Options& options) {
    const std::string name = group.name;
    const auto& sources = group.is_absent ? files.absent : files.base;
    std::vector<Answer> answers(std::min(options.queries, sources.size()));
    on_all_cores(answers.size(), [&](size_t i) {
        Random random(static_cast<unsigned>(i * 7 + 1));
        const size_t source = source_of(group, files, i, answers.size());
        const cv::Mat ground = load(files.absent[(i * 31 + 5) % files.absent.size()]);
        const cv::Mat image = query_of(group, load(sources[source]), ground, random);
        const Bytes query = extract(image, options, options.asked * group.features_times,
                                    name == "mirrored", name == "jpeg 20" ? 20 : 40);
        answers[i] = ask(query, base, group.is_absent ? base.size() : source);
        answers[i].query = query;
    });
    return answers;
}

void print_shares(const Group& group, const std::vector<Answer>& answers) {
    const auto share = [&](auto&& counts) {
        return 100.0 * static_cast<double>(std::ranges::count_if(answers, counts)) /
               static_cast<double>(answers.size());
    };
    std::printf("%-15s", group.name);
    if (!group.is_absent)
        std::printf(" rank1 %5.1f rank5 %5.1f |", share([](auto& a) { return a.rank == 0; }),
                    share([](auto& a) { return a.rank < 5; }));
    for (const double cut : {0.75, 0.7, 0.67, 0.65, 0.6, 0.55, 0.5})
        std::printf(" <=%.2f: %5.1f", cut, share([&](auto& a) {
                        return (group.is_absent ? a.best_other : a.own) <= cut;
                    }));
    std::printf("\n");
}

/// What came instead of the picture that was asked for, to look at.
void print_wrong(const Group& group, const Files& files, const std::vector<Answer>& answers) {
    const auto& sources = group.is_absent ? files.absent : files.base;
    for (size_t i = 0; i < answers.size(); ++i) {
        const Answer& answer = answers[i];
        if (answer.best_other > 0.7 || (!group.is_absent && answer.rank == 0)) continue;
        std::printf("   %s -> %s %.3f (own %.3f)\n",
                    sources[source_of(group, files, i, answers.size())].c_str(),
                    answer.best_file.c_str(), answer.best_other, answer.own);
    }
}

std::string text_of(const Bytes& local) {
    const LocalFeatures features = view_local_features(local.data());
    std::string text(max_local_text_bytes(features.kind(), features.count()), 0);
    text.resize(format_local_text(features, text.data()));
    return text;
}

/// For test/bench/local_index: tables as COPY reads them.
void dump_base(const std::string& folder, const std::vector<Picture>& base) {
    std::ofstream stored(folder + "/stored");
    for (size_t i = 0; i < base.size(); ++i)
        stored << i << '\t' << text_of(base[i].local) << '\n';
}

void dump_answers(const std::string& folder, const Group& group, const Files& files,
                  const std::vector<Answer>& answers) {
    std::ofstream asked(folder + "/asked", std::ios::app);
    asked << std::setprecision(17);
    for (size_t i = 0; i < answers.size(); ++i) {
        asked << group.name << '\t';
        if (group.is_absent)
            asked << "\\N";
        else
            asked << source_of(group, files, i, answers.size());
        asked << '\t' << answers[i].rank << '\t' << answers[i].own << '\t'
              << std::min(answers[i].own, answers[i].best_other) << '\t'
              << text_of(answers[i].query) << '\n';
    }
}

int run(const Options& options) {
    cv::setNumThreads(1);
    const Files files = read_files(options.base);
    if (files.base.empty() || files.absent.empty()) {
        std::fputs("local_quality: give at least four file names on standard input\n", stderr);
        return 1;
    }
    const std::vector<Picture> base = extract_base(files, options);
    show_speed(base, options, files.base);
    const char* folder = std::getenv("DUMP");
    if (folder != nullptr) dump_base(folder, base);
    const char* only = std::getenv("ONLY");
    for (const Group& group : kGroups) {
        if (only != nullptr && std::string(only) != group.name) continue;
        const std::vector<Answer> answers = answers_of(group, files, base, options);
        print_shares(group, answers);
        if (folder != nullptr) dump_answers(folder, group, files, answers);
        if (std::getenv("SHOW_WRONG") != nullptr) print_wrong(group, files, answers);
        std::fflush(stdout);
    }
    return 0;
}

}  // namespace
}  // namespace lookalike

int main(int count, char** arguments) {
    lookalike::Options options;
    if (count > 1) options.base = std::strtoul(arguments[1], nullptr, 10);
    if (count > 2) options.queries = std::strtoul(arguments[2], nullptr, 10);
    if (count > 3 && std::string(arguments[3]) == "sift")
        options.kind = lookalike::LocalKind::kSift;
    if (count > 4) options.stored = static_cast<uint32_t>(std::strtoul(arguments[4], nullptr, 10));
    if (count > 5) options.asked = static_cast<uint32_t>(std::strtoul(arguments[5], nullptr, 10));
    return lookalike::run(options);
}
