// How well the extractors find what belongs together, beside baselines in plain OpenCV.
//   image_quality --pictures DIR --emoji DIR [--half tune|report] [--extractors A,B,...]
//                 [--mobilenet FILE]
// DIR of the pictures holds fashion/ (metadata.csv, images/) and textures/CLASS/*.jpg; DIR of the
// emoji one folder a vendor with files of the same names; FILE is MobileNetV2 as ONNX, which then
// is "net:mobilenet@1". Parts that are absent are left out.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/objdetect.hpp>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "image/decode.h"
#include "image/image.h"
#include "image/model_store.h"
#include "image/textile.h"

namespace {

namespace fs = std::filesystem;
using namespace lookalike;
using Bytes = std::vector<uint8_t>;

constexpr ImageLimits kLimits{.max_pixels = 100'000'000};

struct Picture {
    Bytes bytes;
    std::string label;   // pictures with equal labels belong together
    std::string source;  // pictures with equal sources are no answer to each other, where not empty
};

struct Task {
    std::string name;
    std::vector<Picture> pictures;
    std::vector<Picture> queries;  // empty: each picture is a query for the others
};

Bytes read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// ---- Extractors and baselines ----

std::vector<float> hsv_histogram(const cv::Mat& image) {
    cv::Mat hsv, histogram;
    cv::cvtColor(image, hsv, cv::COLOR_BGR2HSV);
    const int channels[] = {0, 1, 2}, sizes[] = {16, 4, 4};
    const float hues[] = {0, 180}, range[] = {0, 256};
    const float* ranges[] = {hues, range, range};
    cv::calcHist(&hsv, 1, channels, {}, histogram, 3, sizes, ranges);
    histogram /= static_cast<double>(image.total());
    cv::sqrt(histogram, histogram);
    const auto* begin = reinterpret_cast<const float*>(histogram.data);
    return {begin, begin + 16 * 4 * 4};
}

std::vector<float> hog(const cv::Mat& image) {
    cv::Mat grey;
    cv::cvtColor(resized(image, 64, 64), grey, cv::COLOR_BGR2GRAY);
    const cv::HOGDescriptor descriptor({64, 64}, {16, 16}, {8, 8}, {8, 8}, 9);
    std::vector<float> out;
    descriptor.compute(grey, out);
    return out;
}

ModelStore& models() {
    static ModelStore store(make_opencv_engine(), 1 << 30);
    return store;
}

void load_mobilenet(const fs::path& path) {
    models().load("mobilenet@1", read_file(path),
                  {.input_width = 224,
                   .input_height = 224,
                   .mean = {127.5, 127.5, 127.5},
                   .std = {127.5, 127.5, 127.5},
                   .bgr = false,
                   .layer = "features",
                   .normalize = true});
}

std::vector<float> extract(const Bytes& bytes, const std::string& extractor) {
    if (extractor == "baseline-hsv" || extractor == "baseline-hog") {
        const cv::Mat image = composed_on_white(decode_image(bytes, kLimits, 256 * 256));
        return extractor == "baseline-hsv" ? hsv_histogram(image) : hog(image);
    }
    const Features features =
        extract_features(bytes, parse_extractor_spec(extractor), kLimits, &models());
    std::vector<float> out(features.dims);
    if (features.kind == Kind::kReal) {
        std::memcpy(out.data(), features.elements.data(), features.elements.size());
    } else {
        for (uint32_t i = 0; i < features.dims; ++i) {
            out[i] = static_cast<float>(features.elements[i / 8] >> (7 - i % 8) & 1);
        }
    }
    return out;
}

cv::Mat extract_all(const std::vector<Picture>& pictures, const std::string& extractor) {
    cv::Mat rows;
    for (const Picture& picture : pictures) {
        const std::vector<float> row = extract(picture.bytes, extractor);
        rows.push_back(cv::Mat(row, true).reshape(1, 1));
    }
    return rows;
}

// ---- Measures ----

struct Score {
    double mean_average_precision = 0;
    double rank_one = 0;
};

// Ties count against the answer: a wrong picture at the same distance comes first.
double average_precision(const std::vector<std::pair<float, bool>>& sorted) {
    double sum = 0;
    int found = 0;
    for (size_t i = 0; i < sorted.size(); ++i) {
        if (sorted[i].second) sum += ++found / (i + 1.0);
    }
    return found == 0 ? 0 : sum / found;
}

cv::Mat squared_distances(const cv::Mat& a, const cv::Mat& b) {
    cv::Mat products = a * b.t(), norms_a, norms_b;
    cv::reduce(a.mul(a), norms_a, 1, cv::REDUCE_SUM);
    cv::reduce(b.mul(b), norms_b, 1, cv::REDUCE_SUM);
    return cv::repeat(norms_a, 1, b.rows) + cv::repeat(norms_b.t(), a.rows, 1) - 2 * products;
}

Score score(const Task& task, const std::string& extractor) {
    const cv::Mat rows = extract_all(task.pictures, extractor);
    const bool is_leave_one_out = task.queries.empty();
    const auto& queries = is_leave_one_out ? task.pictures : task.queries;
    const cv::Mat distances =
        squared_distances(is_leave_one_out ? rows : extract_all(queries, extractor), rows);
    Score total;
    int counted = 0;
    for (size_t q = 0; q < queries.size(); ++q) {
        std::vector<std::pair<float, bool>> answers;
        bool has_answer = false;
        for (size_t i = 0; i < task.pictures.size(); ++i) {
            const Picture& picture = task.pictures[i];
            if (is_leave_one_out && i == q) continue;
            if (!picture.source.empty() && picture.source == queries[q].source) continue;
            const bool is_match = picture.label == queries[q].label;
            has_answer |= is_match;
            answers.emplace_back(distances.at<float>(q, i), is_match);
        }
        if (!has_answer) continue;
        std::sort(answers.begin(), answers.end());
        total.mean_average_precision += average_precision(answers);
        total.rank_one += answers[0].second ? 1 : 0;
        ++counted;
    }
    return {total.mean_average_precision / counted, total.rank_one / counted};
}

// ---- Tasks ----

bool is_in_half(size_t identity, const std::string& half) {
    return (identity % 2 == 0) == (half == "tune");
}

std::vector<std::string> split_csv(const std::string& line) {
    std::vector<std::string> fields;
    std::stringstream stream(line);
    for (std::string field; std::getline(stream, field, ',');) {
        fields.push_back(field);
    }
    return fields;
}

struct FashionRow {
    std::string file, article, colour;
};

std::vector<FashionRow> read_fashion(const fs::path& folder) {
    std::vector<FashionRow> rows;
    std::ifstream file(folder / "metadata.csv");
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        const auto fields = split_csv(line);
        if (fields.size() >= 11) rows.push_back({fields[0], fields[5], fields.back()});
    }
    return rows;
}

Bytes jpeg(const cv::Mat& image, int quality) {
    Bytes bytes;
    cv::imencode(".jpg", image, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
    return bytes;
}

using Variant = std::pair<const char*, std::function<Bytes(const cv::Mat&)>>;

const std::vector<Variant>& variants() {
    static const std::vector<Variant> list{
        {"resized to half",
         [](const cv::Mat& image) {
             return jpeg(resized(image, image.cols / 2, image.rows / 2), 90);
         }},
        {"JPEG quality 30", [](const cv::Mat& image) { return jpeg(image, 30); }},
        {"cropped by 10 %",
         [](const cv::Mat& image) {
             const int width = image.cols * 9 / 10, height = image.rows * 9 / 10;
             const cv::Rect part(image.cols / 14, image.rows / 30, width, height);
             return jpeg(image(part), 90);
         }},
        {"rotated by 5 degrees",
         [](const cv::Mat& image) {
             const cv::Point2f centre(image.cols / 2.0f, image.rows / 2.0f);
             cv::Mat turned;
             cv::warpAffine(image, turned, cv::getRotationMatrix2D(centre, 5, 1), image.size(),
                            cv::INTER_LINEAR, cv::BORDER_REPLICATE);
             return jpeg(turned, 90);
         }},
        {"recoloured",
         [](const cv::Mat& image) {
             cv::Mat hsv, out;
             cv::cvtColor(image, hsv, cv::COLOR_BGR2HSV);
             hsv.forEach<cv::Vec3b>([](cv::Vec3b& pixel, const int*) {
                 pixel[0] = static_cast<uint8_t>((pixel[0] + 60) % 180);
             });
             cv::cvtColor(hsv, out, cv::COLOR_HSV2BGR);
             return jpeg(out, 90);
         }},
    };
    return list;
}

void add_fashion(const fs::path& folder, const std::string& half, std::vector<Task>& tasks) {
    const auto rows = read_fashion(folder);
    if (rows.empty()) return;
    Task colours{"fashion, colour group", {}, {}}, articles{"fashion, article type", {}, {}};
    std::vector<Picture> originals;
    for (size_t i = 0; i < rows.size(); ++i) {
        const Bytes bytes = read_file(folder / rows[i].file);
        originals.push_back({bytes, rows[i].file, ""});
        if (!is_in_half(i, half)) continue;
        colours.pictures.push_back({bytes, rows[i].colour, ""});
        articles.pictures.push_back({bytes, rows[i].article, ""});
    }
    for (const auto& [name, change] : variants()) {
        Task task{name, originals, {}};
        for (size_t i = 0; i < rows.size(); ++i) {
            if (!is_in_half(i, half)) continue;
            const cv::Mat image = decode_image(originals[i].bytes, kLimits, UINT32_MAX);
            task.queries.push_back({change(image), originals[i].label, ""});
        }
        tasks.push_back(std::move(task));
    }
    tasks.push_back(std::move(colours));
    tasks.push_back(std::move(articles));
}

void add_textures(const fs::path& folder, const std::string& half, std::vector<Task>& tasks) {
    Task task{"textures, class", {}, {}};
    std::set<fs::path> paths;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) paths.insert(entry.path());
    }
    size_t i = 0;
    for (const fs::path& path : paths) {
        if (!is_in_half(i++, half)) continue;
        task.pictures.push_back({read_file(path), path.parent_path().filename(), ""});
    }
    if (!task.pictures.empty()) tasks.push_back(std::move(task));
}

void add_emoji(const fs::path& folder, const std::string& half, std::vector<Task>& tasks) {
    std::map<std::string, std::vector<fs::path>> by_name;
    for (const auto& vendor : fs::directory_iterator(folder)) {
        for (const auto& entry : fs::directory_iterator(vendor)) {
            const std::string name = entry.path().filename();
            const bool has_skin_tone = name.find("1f3f") != std::string::npos;
            if (!has_skin_tone) by_name[name].push_back(entry.path());
        }
    }
    Task task{"emoji, four vendors", {}, {}};
    // Every third is enough, and keeps the task as large as the others.
    constexpr size_t kStep = 3;
    size_t i = 0;
    for (auto& [name, paths] : by_name) {
        if (paths.size() < 4 || i++ % kStep != 0 || !is_in_half(i / kStep, half)) continue;
        std::sort(paths.begin(), paths.end());
        for (const fs::path& path : paths) {
            task.pictures.push_back({read_file(path), name, ""});
        }
    }
    if (!task.pictures.empty()) tasks.push_back(std::move(task));
}

void add_textiles(const std::string& half, std::vector<Task>& tasks) {
    Task designs{"textiles, design", {}, {}}, colours{"textiles, colourway", {}, {}};
    for (uint32_t i = 0; i < kTextileCount; ++i) {
        const TextileSample sample = textile_sample(i);
        if (!is_in_half(sample.design_number, half)) continue;
        const cv::Mat rgb(kTextileSide, kTextileSide, CV_8UC3,
                          const_cast<uint8_t*>(sample.rgb.data()));
        cv::Mat image;
        cv::cvtColor(rgb, image, cv::COLOR_RGB2BGR);
        const Bytes bytes = jpeg(image, 90);
        designs.pictures.push_back({bytes, sample.design, sample.colourway});
        colours.pictures.push_back({bytes, sample.colourway, sample.design});
    }
    tasks.push_back(std::move(designs));
    tasks.push_back(std::move(colours));
}

}  // namespace

int main(int argc, char** argv) {
    std::map<std::string, std::string> options{
        {"--half", "report"},
        {"--extractors", "color+pattern,color,pattern,phash,baseline-hsv,baseline-hog"},
        {"--skip", ""}};
    for (int i = 1; i + 1 < argc; i += 2) {
        options[argv[i]] = argv[i + 1];
    }
    if (!options["--mobilenet"].empty()) {
        load_mobilenet(options["--mobilenet"]);
        options["--extractors"] += ",net:mobilenet@1";
    }
    std::vector<Task> tasks;
    const std::string half = options["--half"];
    const fs::path pictures = options["--pictures"], emoji = options["--emoji"];
    if (fs::exists(pictures / "fashion")) add_fashion(pictures / "fashion", half, tasks);
    if (fs::exists(pictures / "textures")) add_textures(pictures / "textures", half, tasks);
    if (!emoji.empty() && fs::exists(emoji)) add_emoji(emoji, half, tasks);
    add_textiles(half, tasks);
    const std::string skip = options["--skip"];
    std::erase_if(tasks, [&](const Task& task) {
        return !skip.empty() && skip.find(task.name.substr(0, 12)) != std::string::npos;
    });

    std::printf("mean average precision, share of right answers at rank 1 in %%\n%-24s", "");
    for (const Task& task : tasks) {
        std::printf("| %-20.20s ", task.name.c_str());
    }
    std::printf("| mean\n");
    for (const std::string& extractor : split_csv(options["--extractors"])) {
        double sum = 0;
        std::printf("%-24s", extractor.c_str());
        for (const Task& task : tasks) {
            const Score result = score(task, extractor);
            std::printf("| %.3f  %5.1f         ", result.mean_average_precision,
                        100 * result.rank_one);
            sum += result.mean_average_precision;
            std::fflush(stdout);
        }
        std::printf("| %.3f\n", sum / static_cast<double>(tasks.size()));
    }
}
