#include "image/header.h"

#include <algorithm>
#include <array>
#include <optional>

#include "image/boxes.h"
#include "image/bytes.h"
#include "image/gif.h"
#include "image/heif_file.h"
#include "image/hevc.h"
#include "image/image.h"
#include "image/tiff_directory.h"

namespace lookalike {
namespace {

using namespace std::string_view_literals;

struct Signature {
    std::string_view bytes;
    size_t offset;
    const char* name;
    std::optional<ImageFormat> format;  // none: a format known by name only
};

constexpr Signature kSignatures[] = {
    {"\xff\xd8\xff"sv, 0, "JPEG", ImageFormat::kJpeg},
    {"\x89PNG\r\n\x1a\n"sv, 0, "PNG", ImageFormat::kPng},
    {"WEBP"sv, 8, "WebP", ImageFormat::kWebp},
    {"BM"sv, 0, "BMP", ImageFormat::kBmp},
    {"II*\0"sv, 0, "TIFF", ImageFormat::kTiff},
    {"MM\0*"sv, 0, "TIFF", ImageFormat::kTiff},
    {"II+\0"sv, 0, "TIFF", ImageFormat::kTiff},
    {"MM\0+"sv, 0, "TIFF", ImageFormat::kTiff},
    {"\0\0\0\x0cjP  \r\n\x87\n"sv, 0, "JPEG 2000", ImageFormat::kJpeg2000},
    {"\xff\x4f\xff\x51"sv, 0, "JPEG 2000", ImageFormat::kJpeg2000},
    {"GIF8"sv, 0, "GIF", ImageFormat::kGif},
    {"\xff\x0a"sv, 0, "JPEG XL", {}},
    {"\0\0\0\x0cJXL "sv, 0, "JPEG XL", {}},
    {"8BPS"sv, 0, "Photoshop", {}},
    {"\x76\x2f\x31\x01"sv, 0, "OpenEXR", {}},
    {"#?RADIANCE"sv, 0, "Radiance HDR", {}},
    {"%PDF"sv, 0, "PDF", {}},
    {"<svg"sv, 0, "SVG", {}},
    {"\0\0\x01\0"sv, 0, "ICO", {}},
    {"P7"sv, 0, "PAM", {}},
};

[[noreturn]] void fail_unsupported(const std::string& kind) {
    throw ImageError(ImageFault::kUnsupportedFormat, kind + " images are not supported");
}

/// A file whose brands say that it holds HEIF's pictures; of which codec, its boxes tell.
bool is_heif(const Bytes& image) {
    if (!image.starts_with("ftyp"sv, 4)) return false;
    constexpr uint64_t kMajorBrand = 8, kBrandBytes = 4, kMostBrands = 32;
    const uint64_t end = std::min<uint64_t>(
        {image.big_endian(0, 4), image.size(), kMajorBrand + kMostBrands * kBrandBytes});
    for (uint64_t offset = kMajorBrand; offset + kBrandBytes <= end; offset += kBrandBytes) {
        for (const std::string_view brand : {"avi"sv, "hei"sv, "hev"sv, "mif"sv, "msf"sv}) {
            if (image.starts_with(brand, offset)) return true;
        }
    }
    return false;
}

ImageFormat sniff(const Bytes& image) {
    for (const Signature& signature : kSignatures) {
        if (!image.starts_with(signature.bytes, signature.offset)) continue;
        if (signature.format) return *signature.format;
        fail_unsupported(signature.name);
    }
    if (image.size() > 2 && image.u8(0) == 'P' && image.u8(1) >= '1' && image.u8(1) <= '6') {
        return ImageFormat::kPnm;
    }
    if (is_heif(image)) return ImageFormat::kHeic;
    throw ImageError(ImageFault::kUnsupportedFormat,
                     image.size() == 0 ? "image is empty" : "image format is not recognized");
}

// The size that counts for the caller is the first; each that a decoder might believe counts for
// the limit.
void add_size(ImageHeader& header, uint64_t width, uint64_t height) {
    constexpr uint64_t kMaxSide = UINT32_MAX;
    if (width == 0 || height == 0 || width > kMaxSide || height > kMaxSide) throw BytesEnd{};
    if (header.width == 0) {
        header.width = static_cast<uint32_t>(width);
        header.height = static_cast<uint32_t>(height);
    }
    header.max_pixels = std::max(header.max_pixels, width * height);
}

constexpr uint8_t kJpegLsFrame = 0xf7;

bool has_jpeg_length(uint8_t marker) {
    return marker != 0x01 && !(marker >= 0xd0 && marker <= 0xd8);
}

bool is_jpeg_frame(uint8_t marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/// What libjpeg does not decode, if anything.
std::string rare_jpeg(uint8_t marker, uint8_t bits, uint32_t channels) {
    // Frames are numbered by fours: a plain one, then extended, progressive, lossless.
    const int kind = marker & 3;
    if ((marker & 7) > 4) return "hierarchical JPEG";
    if (kind == 3) return "lossless JPEG";
    if (bits == 12) return "12-bit JPEG";
    return channels == 2 ? "two-channel JPEG" : "";
}

void read_jpeg(const Bytes& image, ImageHeader& header) {
    uint64_t offset = 2;
    for (;;) {
        // Like libjpeg: garbage before a marker and fill bytes are skipped.
        while (image.u8(offset) != 0xff) {
            ++offset;
        }
        while (image.u8(offset) == 0xff) {
            ++offset;
        }
        const uint8_t marker = image.u8(offset++);
        if (marker == 0xda || marker == 0xd9) break;
        if (marker == 0 || !has_jpeg_length(marker)) continue;
        const uint64_t length = image.big_endian(offset, 2);
        if (length < 2) throw BytesEnd{};
        const Bytes segment = image.part(offset + 2, length - 2);
        if (is_jpeg_frame(marker)) {
            add_size(header, segment.big_endian(3, 2), segment.big_endian(1, 2));
            header.channels = segment.u8(5);
            header.rare_kind = rare_jpeg(marker, segment.u8(0), header.channels);
        } else if (marker == kJpegLsFrame) {
            fail_unsupported("JPEG-LS");
        } else if (marker == 0xe1 && segment.starts_with("Exif\0\0"sv)) {
            header.orientation = exif_orientation(segment.from(6));
        }
        offset += length;
    }
    // In compressed data an 0xff is followed by 0 or by a restart marker, so this finds the end.
    // The decoder would fill what is missing with grey.
    const auto data = image.span();
    static constexpr std::array<uint8_t, 2> kEnd{0xff, 0xd9};
    if (std::search(data.begin() + offset, data.end(), kEnd.begin(), kEnd.end()) == data.end()) {
        throw BytesEnd{};
    }
}

void read_png(const Bytes& image, ImageHeader& header) {
    if (!image.starts_with("IHDR"sv, 12)) throw BytesEnd{};
    add_size(header, image.big_endian(16, 4), image.big_endian(20, 4));
    const uint8_t colour_type = image.u8(25);
    header.has_alpha = (colour_type & 4) != 0;
    header.channels = ((colour_type & 2) != 0 ? 3 : 1) + (header.has_alpha ? 1 : 0);
    bool has_data = false;
    for (uint64_t offset = 33; offset + 8 <= image.size();) {
        const uint64_t length = image.big_endian(offset, 4);
        if (image.starts_with("tRNS"sv, offset + 4) && !header.has_alpha) {
            header.has_alpha = true;
            ++header.channels;
        }
        if (image.starts_with("eXIf"sv, offset + 4)) {
            header.orientation = exif_orientation(image.up_to(offset + 8, length));
        }
        has_data |= image.starts_with("IDAT"sv, offset + 4);
        offset += 12 + length;
    }
    if (!has_data) throw BytesEnd{};
}

void read_webp_chunk(const Bytes& chunk, std::string_view type, ImageHeader& header) {
    if (type == "VP8 ") {
        add_size(header, chunk.little_endian(6, 2) & 0x3fff, chunk.little_endian(8, 2) & 0x3fff);
    } else if (type == "VP8L") {
        const uint64_t bits = chunk.little_endian(1, 4);
        add_size(header, (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
        header.has_alpha |= (bits >> 28 & 1) != 0;
    } else if (type == "VP8X") {
        header.has_alpha |= (chunk.u8(0) & 0x10) != 0;
        header.is_animated = (chunk.u8(0) & 0x02) != 0;
        add_size(header, chunk.little_endian(4, 3) + 1, chunk.little_endian(7, 3) + 1);
    } else if (type == "ANMF") {
        add_size(header, chunk.little_endian(6, 3) + 1, chunk.little_endian(9, 3) + 1);
        if (chunk.starts_with("VP8"sv, 16)) {
            const char* inner = chunk.starts_with("VP8L"sv, 16) ? "VP8L" : "VP8 ";
            read_webp_chunk(chunk.from(24), inner, header);
        }
    } else if (type == "EXIF") {
        header.orientation =
            exif_orientation(chunk.starts_with("Exif\0\0"sv) ? chunk.from(6) : chunk);
    }
}

void read_webp(const Bytes& image, ImageHeader& header) {
    if (!image.starts_with("RIFF"sv)) throw BytesEnd{};
    for (uint64_t offset = 12; offset + 8 <= image.size();) {
        const Bytes type = image.part(offset, 4);
        const uint64_t length = image.little_endian(offset + 4, 4);
        read_webp_chunk(image.up_to(offset + 8, length),
                        {reinterpret_cast<const char*>(type.span().data()), 4}, header);
        offset += 8 + length + (length & 1);
    }
    header.channels = header.has_alpha ? 4 : 3;
}

void read_bmp(const Bytes& image, ImageHeader& header) {
    if (image.little_endian(14, 4) == 12) {
        add_size(header, image.little_endian(18, 2), image.little_endian(20, 2));
        header.channels = 3;
        return;
    }
    // A negative height means that the rows run from top to bottom.
    const int64_t height = static_cast<int32_t>(image.little_endian(22, 4));
    const auto width = static_cast<int32_t>(image.little_endian(18, 4));
    add_size(header, width < 0 ? 0 : width, height < 0 ? -height : height);
    header.channels = image.little_endian(28, 2) == 32 ? 4 : 3;
    constexpr uint64_t kJpeg = 4, kPng = 5;
    const uint64_t compression = image.little_endian(30, 4);
    if (compression == kJpeg) header.rare_kind = "JPEG-compressed BMP";
    if (compression == kPng) header.rare_kind = "PNG-compressed BMP";
}

/// What OpenCV does not decode of TIFF, if anything.
std::string rare_tiff(const TiffDirectory& directory) {
    constexpr uint64_t kFloatingPoint = 3, kCmyk = 5, kOldJpeg = 6, kLerc = 34887;
    constexpr uint64_t kRead[] = {0, 1, 2, 3, 5, 6, 8, 32844, 32845};  // grey to LogLuv
    const uint64_t bits = directory.bits_per_sample;
    const std::string number = std::to_string(bits) + "-bit ";
    if (directory.sample_format == kFloatingPoint) return "floating-point TIFF";
    if (bits != 1 && bits != 8 && bits != 16) return number + "TIFF";
    if (bits == 16 && directory.photometric == kCmyk) return number + "CMYK TIFF";
    if (bits == 1 && directory.samples_per_pixel > 1) return number + "colour TIFF";
    if (directory.samples_per_pixel > 4)
        return std::to_string(directory.samples_per_pixel) + "-channel TIFF";
    if (std::ranges::find(kRead, directory.photometric) == std::end(kRead))
        return "TIFF (colour space " + std::to_string(directory.photometric) + ")";
    if (directory.compression == kOldJpeg || directory.compression == kLerc)
        return "TIFF (compression " + std::to_string(directory.compression) + ")";
    return "";
}

/// OpenCV would give black for what libtiff has never heard of.
void check_compression(const TiffDirectory& directory) {
    constexpr uint64_t kKnown[] = {1,     2,     3,     4,     5,     6,     7,
                                   8,     32766, 32771, 32773, 32809, 32909, 32946,
                                   34661, 34676, 34677, 34887, 34925, 50000, 50001};
    if (std::ranges::find(kKnown, directory.compression) != std::end(kKnown)) return;
    fail_unsupported("TIFF (compression " + std::to_string(directory.compression) + ")");
}

void read_tiff(const Bytes& image, ImageHeader& header) {
    const TiffDirectory directory = read_tiff_directory(image);
    check_compression(directory);
    add_size(header, directory.width, directory.height);
    if (directory.tile_width != 0 && directory.tile_height != 0) {
        add_size(header, directory.tile_width, directory.tile_height);
    }
    constexpr uint64_t kPalette = 3;
    header.channels =
        directory.photometric == kPalette
            ? 3
            : static_cast<uint32_t>(std::min<uint64_t>(4, directory.samples_per_pixel));
    header.has_alpha = directory.has_extra_samples && directory.samples_per_pixel == 4;
    header.orientation = directory.orientation;
    header.rare_kind = rare_tiff(directory);
}

void read_pnm(const Bytes& image, ImageHeader& header) {
    uint64_t offset = 2;
    const auto next_number = [&]() -> uint64_t {
        while (image.u8(offset) <= ' ' || image.u8(offset) == '#') {
            if (image.u8(offset++) != '#') continue;
            while (image.u8(offset) != '\n' && image.u8(offset) != '\r') {
                ++offset;
            }
        }
        uint64_t number = 0;
        for (int digits = 0; image.u8(offset) >= '0' && image.u8(offset) <= '9'; ++digits) {
            if (digits == 10) throw BytesEnd{};
            number = number * 10 + (image.u8(offset++) - '0');
        }
        return number;
    };
    const uint64_t width = next_number();
    add_size(header, width, next_number());
    header.channels = image.u8(1) == '3' || image.u8(1) == '6' ? 3 : 1;
}

void read_gif(const Bytes& image, ImageHeader& header) {
    const GifImage gif = read_gif_image(image);
    add_size(header, gif.canvas_width, gif.canvas_height);
    add_size(header, gif.place.width, gif.place.height);
    header.has_alpha = gif.has_alpha();
    header.channels = header.has_alpha ? 4 : 3;
}

void read_codestream(const Bytes& stream, ImageHeader& header) {
    if (!stream.starts_with("\xff\x4f\xff\x51"sv)) throw BytesEnd{};
    const uint64_t right = stream.big_endian(8, 4), bottom = stream.big_endian(12, 4);
    const uint64_t left = stream.big_endian(16, 4), top = stream.big_endian(20, 4);
    if (left >= right || top >= bottom) throw BytesEnd{};
    add_size(header, right - left, bottom - top);
    header.channels = static_cast<uint32_t>(stream.big_endian(40, 2));
}

void read_jpeg2000(const Bytes& image, ImageHeader& header) {
    if (image.u8(0) == 0xff) return read_codestream(image, header);
    uint32_t palette_channels = 0;
    read_boxes(image, [&](uint32_t type, const Bytes& content) {
        if (type == four_cc("jp2c") && header.width == 0) read_codestream(content, header);
        if (type != four_cc("jp2h")) return;
        read_boxes(content, [&](uint32_t inner, const Bytes& palette) {
            if (inner == four_cc("pclr")) palette_channels = palette.u8(2);
        });
    });
    if (palette_channels > 0) header.channels = palette_channels;
}

void add_sizes(ImageHeader& header, const HeifLayer& layer) {
    add_size(header, layer.width, layer.height);
    constexpr uint32_t kMostPixels = INT32_MAX;  // a side, as pictures in memory have them
    const HeifTile& first = layer.tiles[0];
    if (std::max({layer.width, layer.height, first.width, first.height}) > kMostPixels) {
        throw BytesEnd{};
    }
    const uint8_t* known = nullptr;  // tiles mostly share it
    for (const HeifTile& tile : layer.tiles) {
        add_size(header, tile.width, tile.height);
        if (layer.codec != HeifCodec::kHevc || tile.config.span().data() == known) continue;
        known = tile.config.span().data();
        for (const CodedSize& size : hevc_sizes(tile.config)) {
            add_size(header, size.width, size.height);
        }
    }
}

void read_heif(const Bytes& image, ImageHeader& header) {
    const HeifFile file(image);
    // The first brand may be one that both have.
    header.format =
        file.colours().codec == HeifCodec::kHevc ? ImageFormat::kHeic : ImageFormat::kAvif;
    add_size(header, file.crop().width, file.crop().height);
    add_sizes(header, file.colours());
    if (file.alpha()) add_sizes(header, *file.alpha());
    header.has_alpha = file.alpha().has_value();
    header.channels = (file.is_grey() ? 1 : 3) + (header.has_alpha ? 1 : 0);
    header.orientation = file.orientation();
}

void read_format(const Bytes& image, ImageHeader& header) {
    switch (header.format) {
        case ImageFormat::kJpeg:
            return read_jpeg(image, header);
        case ImageFormat::kPng:
            return read_png(image, header);
        case ImageFormat::kWebp:
            return read_webp(image, header);
        case ImageFormat::kBmp:
            return read_bmp(image, header);
        case ImageFormat::kTiff:
            return read_tiff(image, header);
        case ImageFormat::kPnm:
            return read_pnm(image, header);
        case ImageFormat::kJpeg2000:
            return read_jpeg2000(image, header);
        case ImageFormat::kGif:
            return read_gif(image, header);
        case ImageFormat::kHeic:
        case ImageFormat::kAvif:
            return read_heif(image, header);
    }
}

}  // namespace

const char* format_name(ImageFormat format) {
    if (format == ImageFormat::kHeic) return "HEIC";
    if (format == ImageFormat::kAvif) return "AVIF";
    for (const Signature& signature : kSignatures) {
        if (signature.format == format) return signature.name;
    }
    return "PNM";
}

ImageHeader read_header(std::span<const uint8_t> image) {
    ImageHeader header;
    header.format = sniff(Bytes(image));
    try {
        read_format(Bytes(image), header);
        if (header.width == 0 || header.channels == 0) throw BytesEnd{};
        constexpr uint32_t kMostChannels = 4;
        if (header.channels > kMostChannels) {
            fail_unsupported(std::to_string(header.channels) + "-channel " +
                             format_name(header.format));
        }
    } catch (const BytesEnd&) {
        throw ImageError(ImageFault::kUnreadable, std::string("could not read ") +
                                                      format_name(header.format) +
                                                      " image: it is damaged or incomplete");
    }
    return header;
}

ImageInfo image_info(std::span<const uint8_t> image) {
    const ImageHeader header = read_header(image);
    return {.format = format_name(header.format),
            .width = header.width,
            .height = header.height,
            .channels = header.channels,
            .orientation = header.orientation};
}

}  // namespace lookalike
