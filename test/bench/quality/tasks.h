// Pictures of which it is known what belongs together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "image/image.h"

namespace lookalike {

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

Bytes read_file(const std::filesystem::path& path);

std::vector<std::string> split_csv(const std::string& line);

/// `pictures` holds fashion/ (metadata.csv, images/) and textures/CLASS/*.jpg; `emoji` one folder a
/// vendor with files of the same names. Parts that are absent are left out. `half`: "tune" and
/// "report" are every other picture each, "all" is both.
std::vector<Task> read_tasks(const std::filesystem::path& pictures,
                             const std::filesystem::path& emoji, const std::string& half);

}  // namespace lookalike
