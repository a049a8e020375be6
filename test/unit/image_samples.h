// Pictures and files that the image tests share.
#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <span>
#include <string>
#include <vector>

namespace lookalike {

using FileBytes = std::vector<uint8_t>;

/// Quarters of red, green, blue and yellow, from the top left to the bottom right.
cv::Mat quarters(int width, int height);

/// `image` as a file of the format that the extension names: ".png".
FileBytes encoded(const cv::Mat& image, const std::string& extension,
                  const std::vector<int>& parameters = {});

/// An EXIF block, without "Exif\0\0", that holds an orientation alone.
FileBytes exif_block(int orientation);

/// A JPEG or a PNG with an EXIF block put into it.
FileBytes with_exif(const FileBytes& file, const FileBytes& exif);

/// A WebP with an EXIF block put into it. REQUIRES: `still` is lossless, of that size.
FileBytes webp_with_exif(const FileBytes& still, int width, int height, const FileBytes& exif);

/// An uncompressed TIFF of 8-bit samples. REQUIRES: `image` is BGR or BGRA.
FileBytes tiff_file(const cv::Mat& image, int orientation);

/// Such a TIFF with two pages. REQUIRES: both are BGR.
FileBytes tiff_of_pages(const cv::Mat& first, const cv::Mat& second);

/// An animated WebP with a frame for each file. REQUIRES: they are lossless still WebP files of
/// equal size.
FileBytes animated_webp(const std::vector<FileBytes>& stills, int width, int height);

/// A file's bytes; none when it is not there.
FileBytes file_bytes(const std::string& path);

extern const std::span<const uint8_t> kCmykJpeg;               ///< 16 x 8: cyan, then red
extern const std::span<const uint8_t> kPalettePng;             ///< 8 x 4: red, then blue
extern const std::span<const uint8_t> kTransparentPalettePng;  ///< the same, the blue invisible

}  // namespace lookalike
