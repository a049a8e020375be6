#include "image/tiff_directory.h"

#include <algorithm>

namespace lookalike {
namespace {

enum Tag : uint64_t {
    kImageWidth = 256,
    kImageLength = 257,
    kBitsPerSample = 258,
    kCompression = 259,
    kPhotometric = 262,
    kOrientation = 274,
    kSamplesPerPixel = 277,
    kTileWidth = 322,
    kTileLength = 323,
    kExtraSamples = 338,
    kSampleFormat = 339,
};

int type_bytes(uint64_t type) {
    switch (type) {
        case 1:  // BYTE
            return 1;
        case 3:  // SHORT
            return 2;
        case 4:  // LONG
            return 4;
        case 16:  // LONG8
            return 8;
        default:
            return 0;
    }
}

void apply(TiffDirectory& directory, uint64_t tag, uint64_t value) {
    const auto enlarge = [value](uint64_t& size) { size = std::max(size, value); };
    switch (tag) {
        case kImageWidth:
            return enlarge(directory.width);
        case kImageLength:
            return enlarge(directory.height);
        case kTileWidth:
            return enlarge(directory.tile_width);
        case kTileLength:
            return enlarge(directory.tile_height);
        case kSamplesPerPixel:
            return enlarge(directory.samples_per_pixel);
        case kBitsPerSample:
            directory.bits_per_sample = value;
            return;
        case kCompression:
            directory.compression = value;
            return;
        case kSampleFormat:
            directory.sample_format = value;
            return;
        case kPhotometric:
            directory.photometric = value;
            return;
        case kExtraSamples:
            directory.has_extra_samples = true;
            return;
        case kOrientation:
            if (value >= 1 && value <= 8) directory.orientation = static_cast<int>(value);
            return;
        default:
            return;
    }
}

}  // namespace

TiffDirectory read_tiff_directory(const Bytes& tiff) {
    const bool is_little = tiff.starts_with("II");
    if (!is_little && !tiff.starts_with("MM")) throw BytesEnd{};
    const auto number = [&](uint64_t offset, int bytes) {
        return is_little ? tiff.little_endian(offset, bytes) : tiff.big_endian(offset, bytes);
    };
    const uint64_t magic = number(2, 2);
    if (magic != 42 && magic != 43) throw BytesEnd{};
    const bool is_big = magic == 43;
    const uint64_t begin = is_big ? number(8, 8) : number(4, 4);
    const uint64_t count = number(begin, is_big ? 8 : 2);
    const uint64_t entry_bytes = is_big ? 20 : 12;
    const uint64_t entries = begin + (is_big ? 8 : 2);
    if (entries < begin || count > tiff.size() / entry_bytes) throw BytesEnd{};

    TiffDirectory directory;
    const int field_bytes = is_big ? 8 : 4;
    for (uint64_t i = 0; i < count; ++i) {
        const uint64_t entry = entries + i * entry_bytes;
        const uint64_t tag = number(entry, 2);
        const int bytes = type_bytes(number(entry + 2, 2));
        uint64_t place = entry + 4 + field_bytes;
        // Of what has a value for each channel, more than two or four of them lie elsewhere.
        if ((tag == kBitsPerSample || tag == kSampleFormat) &&
            number(entry + 4, field_bytes) * bytes > static_cast<uint64_t>(field_bytes))
            place = number(place, field_bytes);
        const uint64_t value = bytes == 0 || bytes > field_bytes ? 0 : number(place, bytes);
        apply(directory, tag, value);
    }
    return directory;
}

int exif_orientation(const Bytes& exif) {
    try {
        return read_tiff_directory(exif).orientation;
    } catch (const BytesEnd&) {
        return 1;
    }
}

}  // namespace lookalike
