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

/// `image` as a file of the format that the extension names: ".png". A GIF takes 256 colours.
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

struct GifOptions {
    cv::Size canvas = {};  ///< that of the picture when empty
    cv::Point place = {};  ///< of the picture on the canvas
    int transparent = -1;  ///< number of a colour that is not drawn
    bool is_interlaced = false;
    bool has_own_palette = false;   ///< the picture's; that of the file has other colours
    bool keeps_full_table = false;  ///< codes are not cleared when all 4,096 are taken
};

/// A GIF of one picture. REQUIRES: `numbers` are CV_8U and below the number of colours (BGR).
FileBytes gif_file(const cv::Mat& numbers, const std::vector<cv::Vec3b>& colours,
                   const GifOptions& options = {});

/// A file's bytes; none when it is not there.
FileBytes file_bytes(const std::string& path);

/// A file that the fuzzers start from; the test fails when it is not there.
FileBytes corpus_file(const std::string& name);

extern const std::span<const uint8_t> kCmykJpeg;               ///< 16 x 8: cyan, then red
extern const std::span<const uint8_t> kPalettePng;             ///< 8 x 4: red, then blue
extern const std::span<const uint8_t> kTransparentPalettePng;  ///< the same, the blue invisible

}  // namespace lookalike
