#include "quality/tasks.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <sstream>

#include "image/decode.h"
#include "image/image.h"
#include "image/textile.h"

namespace lookalike {
namespace {

namespace fs = std::filesystem;

bool is_in_half(size_t identity, const std::string& half) {
    return half == "all" || (identity % 2 == 0) == (half == "tune");
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

Bytes read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split_csv(const std::string& line) {
    std::vector<std::string> fields;
    std::stringstream stream(line);
    for (std::string field; std::getline(stream, field, ',');) {
        fields.push_back(field);
    }
    return fields;
}

std::vector<Task> read_tasks(const fs::path& pictures, const fs::path& emoji,
                             const std::string& half) {
    std::vector<Task> tasks;
    if (fs::exists(pictures / "fashion")) add_fashion(pictures / "fashion", half, tasks);
    if (fs::exists(pictures / "textures")) add_textures(pictures / "textures", half, tasks);
    if (!emoji.empty() && fs::exists(emoji)) add_emoji(emoji, half, tasks);
    add_textiles(half, tasks);
    return tasks;
}

}  // namespace lookalike
