#include "image_samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <opencv2/imgcodecs.hpp>

namespace lookalike {
namespace {

void append(FileBytes& out, const std::string& text) {
    for (const char letter : text) {
        out.push_back(static_cast<uint8_t>(letter));
    }
}

void append(FileBytes& out, const FileBytes& bytes) {
    for (const uint8_t byte : bytes) {
        out.push_back(byte);
    }
}

void append_little(FileBytes& out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
        out.push_back(static_cast<uint8_t>(value >> (8 * i)));
    }
}

void append_big(FileBytes& out, uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) {
        out.push_back(static_cast<uint8_t>(value >> (8 * i)));
    }
}

/// The first chunk of a WebP file that has more than one picture's bits.
FileBytes extended_webp(int features, int width, int height) {
    FileBytes chunks;
    append(chunks, "WEBPVP8X");
    append_little(chunks, 10, 4);
    append_little(chunks, features, 4);
    append_little(chunks, width - 1, 3);
    append_little(chunks, height - 1, 3);
    return chunks;
}

FileBytes riff(const FileBytes& chunks) {
    FileBytes out;
    append(out, "RIFF");
    append_little(out, chunks.size(), 4);
    append(out, chunks);
    return out;
}

void append_tag(FileBytes& out, int tag, int type, uint32_t value) {
    append_little(out, tag, 2);
    append_little(out, type, 2);
    append_little(out, 1, 4);
    append_little(out, value, 4);
}

constexpr int kShort = 3, kLong = 4;

/// GIF's compression; its first byte is the number of bits of a literal.
FileBytes gif_codes(const FileBytes& numbers, int literal_bits, bool keeps_full_table) {
    const int clear = 1 << literal_bits;
    FileBytes out{static_cast<uint8_t>(literal_bits)}, bytes;
    uint32_t bits = 0;
    int bit_count = 0, code_bits = 0, next = 0;
    std::map<std::pair<int, uint8_t>, int> codes;
    const auto put = [&](int code) {
        bits |= static_cast<uint32_t>(code) << bit_count;
        for (bit_count += code_bits; bit_count >= 8; bit_count -= 8) {
            bytes.push_back(static_cast<uint8_t>(bits));
            bits >>= 8;
        }
    };
    const auto start = [&] {
        codes.clear();
        code_bits = literal_bits + 1;
        next = clear + 2;
    };
    start();
    put(clear);
    int prefix = numbers.at(0);
    for (size_t i = 1; i < numbers.size(); ++i) {
        const auto known = codes.find({prefix, numbers[i]});
        if (known != codes.end()) {
            prefix = known->second;
            continue;
        }
        put(prefix);
        if (next < 4096) {
            if (next == 1 << code_bits) ++code_bits;
            codes[{prefix, numbers[i]}] = next++;
        } else if (!keeps_full_table) {
            put(clear);
            start();
        }
        prefix = numbers[i];
    }
    put(prefix);
    if (next == 1 << code_bits && code_bits < 12) ++code_bits;
    put(clear + 1);
    code_bits = 7;
    put(0);  // what is left of the last byte
    for (size_t i = 0; i < bytes.size(); i += 255) {
        const size_t count = std::min<size_t>(255, bytes.size() - i);
        out.push_back(static_cast<uint8_t>(count));
        out.insert(out.end(), bytes.begin() + i, bytes.begin() + i + count);
    }
    out.push_back(0);
    return out;
}

FileBytes gif_of_colours(const cv::Mat& image) {
    const cv::Mat bgr = image.channels() == 3 ? image : [&image] {
        cv::Mat three;
        cv::merge(std::vector<cv::Mat>(3, image), three);
        return three;
    }();
    std::vector<cv::Vec3b> colours;
    cv::Mat numbers(bgr.size(), CV_8U);
    for (int y = 0; y < bgr.rows; ++y) {
        for (int x = 0; x < bgr.cols; ++x) {
            const auto& colour = bgr.at<cv::Vec3b>(y, x);
            const auto found = std::find(colours.begin(), colours.end(), colour);
            numbers.at<uint8_t>(y, x) = static_cast<uint8_t>(found - colours.begin());
            if (found == colours.end()) colours.push_back(colour);
        }
    }
    return gif_file(numbers, colours);
}

constexpr uint8_t kCmykJpegBytes[] = {
    0xff, 0xd8, 0xff, 0xee, 0x00, 0x0e, 0x41, 0x64, 0x6f, 0x62, 0x65, 0x00, 0x64, 0x00, 0x00, 0x00,
    0x00, 0x00, 0xff, 0xdb, 0x00, 0x43, 0x00, 0x10, 0x0b, 0x0c, 0x0e, 0x0c, 0x0a, 0x10, 0x0e, 0x0d,
    0x0e, 0x12, 0x11, 0x10, 0x13, 0x18, 0x28, 0x1a, 0x18, 0x16, 0x16, 0x18, 0x31, 0x23, 0x25, 0x1d,
    0x28, 0x3a, 0x33, 0x3d, 0x3c, 0x39, 0x33, 0x38, 0x37, 0x40, 0x48, 0x5c, 0x4e, 0x40, 0x44, 0x57,
    0x45, 0x37, 0x38, 0x50, 0x6d, 0x51, 0x57, 0x5f, 0x62, 0x67, 0x68, 0x67, 0x3e, 0x4d, 0x71, 0x79,
    0x70, 0x64, 0x78, 0x5c, 0x65, 0x67, 0x63, 0xff, 0xc0, 0x00, 0x14, 0x08, 0x00, 0x08, 0x00, 0x10,
    0x04, 0x43, 0x11, 0x00, 0x4d, 0x11, 0x00, 0x59, 0x11, 0x00, 0x4b, 0x11, 0x00, 0xff, 0xc4, 0x00,
    0x16, 0x00, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x07, 0x08, 0x00, 0xff, 0xc4, 0x00, 0x14, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xda, 0x00, 0x0e, 0x04,
    0x43, 0x00, 0x4d, 0x00, 0x59, 0x00, 0x4b, 0x00, 0x00, 0x3f, 0x00, 0x3f, 0x20, 0x10, 0x08, 0x0a,
    0x01, 0x3f, 0xa7, 0xf6, 0x7f, 0xff, 0xd9};
constexpr uint8_t kPalettePngBytes[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x04, 0x08, 0x03, 0x00, 0x00, 0x00, 0x84, 0x13, 0x8e,
    0xc2, 0x00, 0x00, 0x00, 0x06, 0x50, 0x4c, 0x54, 0x45, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0x6c,
    0xa1, 0xfd, 0x8e, 0x00, 0x00, 0x00, 0x11, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60, 0x00,
    0x02, 0x46, 0x20, 0x60, 0xc0, 0xcd, 0x00, 0x00, 0x01, 0x24, 0x00, 0x11, 0xb7, 0x45, 0xbf, 0xa1,
    0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
constexpr uint8_t kTransparentPalettePngBytes[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x04, 0x08, 0x03, 0x00, 0x00, 0x00, 0x84, 0x13, 0x8e,
    0xc2, 0x00, 0x00, 0x00, 0x06, 0x50, 0x4c, 0x54, 0x45, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0x6c,
    0xa1, 0xfd, 0x8e, 0x00, 0x00, 0x00, 0x02, 0x74, 0x52, 0x4e, 0x53, 0xff, 0x00, 0xe5, 0xb7, 0x30,
    0x4a, 0x00, 0x00, 0x00, 0x11, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60, 0x00, 0x02, 0x46,
    0x20, 0x60, 0xc0, 0xcd, 0x00, 0x00, 0x01, 0x24, 0x00, 0x11, 0xb7, 0x45, 0xbf, 0xa1, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

}  // namespace

const std::span<const uint8_t> kCmykJpeg = kCmykJpegBytes;
const std::span<const uint8_t> kPalettePng = kPalettePngBytes;
const std::span<const uint8_t> kTransparentPalettePng = kTransparentPalettePngBytes;

cv::Mat quarters(int width, int height) {
    cv::Mat image(height, width, CV_8UC3);
    const cv::Vec3b colours[2][2] = {{{0, 0, 255}, {0, 255, 0}}, {{255, 0, 0}, {0, 255, 255}}};
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            image.at<cv::Vec3b>(y, x) = colours[2 * y / height][2 * x / width];
        }
    }
    return image;
}

FileBytes encoded(const cv::Mat& image, const std::string& extension,
                  const std::vector<int>& parameters) {
    if (extension == ".gif") return gif_of_colours(image);
    FileBytes bytes;
    cv::imencode(extension, image, bytes, parameters);
    return bytes;
}

FileBytes exif_block(int orientation) {
    FileBytes out;
    append(out, "MM");
    append_big(out, 42, 2);
    append_big(out, 8, 4);
    append_big(out, 1, 2);
    append_big(out, 274, 2);
    append_big(out, kShort, 2);
    append_big(out, 1, 4);
    append_big(out, static_cast<uint64_t>(orientation) << 16, 4);
    append_big(out, 0, 4);
    return out;
}

FileBytes with_exif(const FileBytes& file, const FileBytes& exif) {
    const bool is_jpeg = file[0] == 0xff;
    constexpr int kAfterIhdr = 33;
    const int place = is_jpeg ? 2 : kAfterIhdr;
    FileBytes out(file.begin(), file.begin() + place);
    if (is_jpeg) {
        append_big(out, 0xffe1, 2);
        append_big(out, 8 + exif.size(), 2);
        append(out, std::string("Exif\0\0", 6));
        append(out, exif);
    } else {
        append_big(out, exif.size(), 4);
        append(out, "eXIf");
        append(out, exif);
        append_big(out, 0, 4);  // a wrong checksum, which decoders pass over here
    }
    out.insert(out.end(), file.begin() + place, file.end());
    return out;
}

FileBytes webp_with_exif(const FileBytes& still, int width, int height, const FileBytes& exif) {
    constexpr int kFileHeader = 12;
    FileBytes chunks = extended_webp(0x08, width, height);
    append(chunks, FileBytes(still.begin() + kFileHeader, still.end()));
    append(chunks, "EXIF");
    append_little(chunks, exif.size(), 4);
    append(chunks, exif);
    return riff(chunks);
}

FileBytes tiff_of_pages(const cv::Mat& first, const cv::Mat& second) {
    FileBytes out = tiff_file(first, 1);
    // The second page's directory comes behind the first page, and its offsets move with it.
    const auto moved_by = static_cast<uint32_t>(out.size());
    FileBytes page = tiff_file(second, 1);
    constexpr int kHeader = 8, kTags = 10, kValue = 8;
    const auto tag_at = [](int index) { return kHeader + 2 + 12 * index; };
    const auto add_little = [moved_by](FileBytes& file, int at) {
        uint32_t value = 0;
        std::memcpy(&value, file.data() + at, sizeof(value));
        value += moved_by;
        std::memcpy(file.data() + at, &value, sizeof(value));
    };
    add_little(page, tag_at(2) + kValue);  // where the bits of each channel are
    add_little(page, tag_at(5) + kValue);  // where the pixels are
    const uint32_t directory = moved_by + kHeader;
    std::memcpy(out.data() + tag_at(kTags), &directory, sizeof(directory));
    append(out, page);
    return out;
}

FileBytes tiff_file(const cv::Mat& image, int orientation) {
    const int channels = image.channels();
    const bool has_alpha = channels == 4;
    const int tags = has_alpha ? 11 : 10;
    const uint32_t bits_at = 8 + 2 + 12 * tags + 4;
    const uint32_t pixels_at = bits_at + 8;
    FileBytes out;
    append(out, std::string("II*\0", 4));
    append_little(out, 8, 4);
    append_little(out, tags, 2);
    append_tag(out, 256, kLong, image.cols);
    append_tag(out, 257, kLong, image.rows);
    append_tag(out, 258, kShort, bits_at);
    out[out.size() - 8] = static_cast<uint8_t>(channels);  // as many values as channels
    append_tag(out, 259, kShort, 1);
    append_tag(out, 262, kShort, 2);
    append_tag(out, 273, kLong, pixels_at);
    append_tag(out, 274, kShort, orientation);
    append_tag(out, 277, kShort, channels);
    append_tag(out, 278, kLong, image.rows);
    append_tag(out, 279, kLong, image.rows * image.cols * channels);
    if (has_alpha) append_tag(out, 338, kShort, 2);
    append_little(out, 0, 4);
    for (int i = 0; i < 4; ++i) {
        append_little(out, 8, 2);
    }
    for (int y = 0; y < image.rows; ++y) {
        for (int x = 0; x < image.cols; ++x) {
            const uint8_t* pixel = image.ptr(y) + x * channels;
            for (const int channel : {2, 1, 0, 3}) {
                if (channel < channels) out.push_back(pixel[channel]);
            }
        }
    }
    return out;
}

FileBytes animated_webp(const std::vector<FileBytes>& stills, int width, int height) {
    FileBytes chunks = extended_webp(0x02, width, height);
    append(chunks, "ANIM");
    append_little(chunks, 6, 4);
    append_little(chunks, 0, 6);
    for (const FileBytes& still : stills) {
        constexpr int kFileHeader = 12;
        const FileBytes chunk(still.begin() + kFileHeader, still.end());
        append(chunks, "ANMF");
        append_little(chunks, 16 + chunk.size(), 4);
        append_little(chunks, 0, 6);  // place
        append_little(chunks, width - 1, 3);
        append_little(chunks, height - 1, 3);
        append_little(chunks, 100, 4);  // milliseconds, flags
        append(chunks, chunk);
    }
    return riff(chunks);
}

FileBytes gif_file(const cv::Mat& numbers, const std::vector<cv::Vec3b>& colours,
                   const GifOptions& options) {
    int palette_bits = 1;
    while (size_t{1} << palette_bits < colours.size()) {
        ++palette_bits;
    }
    const auto append_palette = [&](FileBytes& out, bool is_right) {
        for (size_t i = 0; i < size_t{1} << palette_bits; ++i) {
            const cv::Vec3b colour = i < colours.size() ? colours[i] : cv::Vec3b();
            for (const int channel : {2, 1, 0}) {
                out.push_back(static_cast<uint8_t>(colour[channel] ^ (is_right ? 0 : 0xff)));
            }
        }
    };
    const cv::Size canvas = options.canvas.empty() ? numbers.size() : options.canvas;
    FileBytes out;
    append(out, "GIF89a");
    append_little(out, canvas.width, 2);
    append_little(out, canvas.height, 2);
    out.push_back(static_cast<uint8_t>(0x80 | (palette_bits - 1)));
    append_little(out, 0, 2);
    append_palette(out, !options.has_own_palette);
    append(out, "\x21\xfe\x05hello");  // a comment
    out.push_back(0);
    append(out, "\x21\xf9\x04");
    out.push_back(options.transparent < 0 ? 0 : 1);
    append_little(out, 10, 2);
    append_little(out, std::max(0, options.transparent), 2);
    append(out, ",");
    for (const int value : {options.place.x, options.place.y, numbers.cols, numbers.rows}) {
        append_little(out, value, 2);
    }
    out.push_back(static_cast<uint8_t>((options.is_interlaced ? 0x40 : 0) |
                                       (options.has_own_palette ? 0x80 | (palette_bits - 1) : 0)));
    if (options.has_own_palette) append_palette(out, true);
    FileBytes stored;
    const auto append_rows = [&](int first, int step) {
        for (int y = first; y < numbers.rows; y += step) {
            stored.insert(stored.end(), numbers.ptr(y), numbers.ptr(y) + numbers.cols);
        }
    };
    if (options.is_interlaced) {
        append_rows(0, 8);
        append_rows(4, 8);
        append_rows(2, 4);
        append_rows(1, 2);
    } else {
        append_rows(0, 1);
    }
    append(out, gif_codes(stored, std::max(2, palette_bits), options.keeps_full_table));
    append(out, ";");
    return out;
}

FileBytes file_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

FileBytes corpus_file(const std::string& name) {
    const FileBytes bytes = file_bytes(LOOKALIKE_IMAGE_CORPUS "/" + name);
    EXPECT_FALSE(bytes.empty()) << name;
    return bytes;
}

}  // namespace lookalike
