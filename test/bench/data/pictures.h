// Real descriptors from pictures: SIFT of key points and HOG of dense patches, through OpenCV.
#pragma once

#include <filesystem>
#include <vector>

#include "row_pool.h"

namespace lookalike {

constexpr uint32_t kSiftDims = 128;
constexpr uint32_t kHogDims = 512;

/// One file of each picture, the greatest, in order of names: names that end in a size
/// ("_3840x2160") are the same picture, and so are the files of one folder "contents/images".
/// Links and previews are left out.
std::vector<std::filesystem::path> one_file_each(const std::vector<std::filesystem::path>& files);

/// Adds what `file` holds; `hog` may be null. A file that cannot be read or is too large adds
/// nothing.
void add_picture(const std::filesystem::path& file, RowPool& sift, RowPool* hog);

}  // namespace lookalike
