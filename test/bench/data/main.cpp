// Makes the benchmark's data: "bench_data pictures FOLDER < LIST" (LIST: lines "photo PATH" or
// "drawing PATH"), "bench_data views FOLDER ROWS < LIST", "bench_data mnist FOLDER BASE QUERIES"
// and "bench_data words FOLDER JSON".
#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iostream>
#include <opencv2/core.hpp>
#include <stdexcept>

#include "embeddings.h"
#include "pictures.h"
#include "views.h"

namespace lookalike {
namespace {

constexpr uint32_t kQueryCount = 1000;
constexpr uint32_t kInsertCount = 10000;
constexpr uint32_t kSiftRows = 1000000;
constexpr uint32_t kHogRows = 200000;

void make_pictures(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> photos, drawings;
    for (std::string kind, path; std::cin >> kind && std::getline(std::cin >> std::ws, path);)
        (kind == "photo" ? photos : drawings).emplace_back(path);
    photos = one_file_each(photos);
    std::ranges::sort(drawings);

    RowPool sift(kSiftDims, RowElement::kByte);
    RowPool hog(kHogDims, RowElement::kFloat);
    for (const auto& photo : photos) {
        add_picture(photo, sift, &hog);
        std::cout << photo.filename().string() << ": " << sift.count() << " SIFT, " << hog.count()
                  << " HOG rows" << std::endl;
    }
    // Every fourth, and so on: the names are grouped by subject, and not all are needed.
    constexpr size_t kStride = 4;
    size_t used = 0;
    for (size_t start = 0; start < kStride; ++start) {
        for (size_t i = start; i < drawings.size(); i += kStride) {
            if (sift.count() >= kSiftRows + kQueryCount + kInsertCount) break;
            add_picture(drawings[i], sift, nullptr);
            if (++used % 100 == 0)
                std::cout << used << " drawings: " << sift.count() << " SIFT rows" << std::endl;
        }
    }
    if (sift.count() < kSiftRows + kQueryCount + kInsertCount)
        throw std::runtime_error("the pictures hold too few features: is a package missing?");
    sift.write(folder / "sift", "l2", {kSiftRows, kQueryCount, kInsertCount});
    hog.write(folder / "hog", "l2", {kHogRows, kQueryCount, kInsertCount});
    std::cout << photos.size() << " photographs and " << used << " drawings" << std::endl;
}

// SIGINT and SIGTERM end the gathering early: the set is then made of what is there.
volatile std::sig_atomic_t stop_signal = 0;

void make_views(const std::filesystem::path& folder, uint32_t row_count) {
    std::vector<std::filesystem::path> photos;
    for (std::string kind, path; std::cin >> kind && std::getline(std::cin >> std::ws, path);)
        if (kind == "photo") photos.emplace_back(path);
    for (const int number : {SIGINT, SIGTERM})
        std::signal(number, [](int) { stop_signal = 1; });
    ByteRowFile rows(folder, kSiftDims);
    add_views(
        one_file_each(photos), row_count + kQueryCount + kInsertCount,
        [] { return stop_signal != 0; }, rows);
    rows.write("l2", {row_count, kQueryCount, kInsertCount});
}

int run(int argument_count, char** arguments) {
    const std::vector<std::string> words(arguments + 1, arguments + argument_count);
    // The order of features must not depend on threads; two pictures at a time would not fit small
    // machines.
    if (const char* threads = std::getenv("BENCH_DATA_THREADS"))
        cv::setNumThreads(std::atoi(threads));
    if (words.size() == 2 && words[0] == "pictures") {
        make_pictures(words[1]);
    } else if (words.size() == 3 && words[0] == "views") {
        make_views(words[1], static_cast<uint32_t>(std::stoul(words[2])));
    } else if (words.size() == 4 && words[0] == "mnist") {
        make_mnist(words[1], words[2], words[3]);
    } else if (words.size() == 3 && words[0] == "words") {
        make_words(words[1], words[2]);
    } else {
        throw std::runtime_error("bench_data: see the head of its main.cpp for the arguments");
    }
    return 0;
}

}  // namespace
}  // namespace lookalike

int main(int argument_count, char** arguments) {
    try {
        return lookalike::run(argument_count, arguments);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
