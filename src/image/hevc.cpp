#include "image/hevc.h"

#include <libde265/de265.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "image/image.h"

namespace lookalike {
namespace {

constexpr int kSequenceParameters = 33;  // the type of a unit

int unit_type(const Bytes& unit) {
    return unit.u8(0) >> 1 & 0x3f;
}

/// Single bits of a unit, without the bytes that keep its content from looking like a start code.
class BitReader {
  public:
    explicit BitReader(const Bytes& unit) {
        constexpr size_t kEnough = 256;  // far more than precedes the size
        int zeros = 0;
        const Bytes beginning = unit.up_to(0, kEnough);
        for (const uint8_t byte : beginning.span()) {
            if (zeros >= 2 && byte == 3) {
                zeros = 0;
                continue;
            }
            zeros = byte == 0 ? zeros + 1 : 0;
            bytes_.push_back(byte);
        }
    }
    void skip(int bits) { offset_ += bits; }
    uint64_t bits(int count) {
        uint64_t value = 0;
        for (; count > 0; --count, ++offset_) {
            if (offset_ / 8 >= bytes_.size()) throw BytesEnd{};
            value = value << 1 | (bytes_[offset_ / 8] >> (7 - offset_ % 8) & 1);
        }
        return value;
    }
    /// As many bits as zeros came before a one.
    uint64_t exp_golomb() {
        int zeros = 0;
        while (bits(1) == 0) {
            if (++zeros > 32) throw BytesEnd{};
        }
        return (uint64_t{1} << zeros) - 1 + bits(zeros);
    }

  private:
    std::vector<uint8_t> bytes_;
    size_t offset_ = 0;
};

CodedSize size_of_sequence(const Bytes& unit) {
    constexpr int kUnitHeader = 16, kProfile = 88, kLevel = 8;
    BitReader reader(unit);
    reader.skip(kUnitHeader + 4);
    const auto layers = static_cast<int>(reader.bits(3));  // beside the first
    reader.skip(1 + kProfile + kLevel);
    int skipped = layers > 0 ? 2 * (8 - layers) : 0;
    for (int i = 0; i < layers; ++i) {
        if (reader.bits(1)) skipped += kProfile;
        if (reader.bits(1)) skipped += kLevel;
    }
    reader.skip(skipped);
    reader.exp_golomb();  // its number
    constexpr uint64_t kFullChroma = 3;
    if (reader.exp_golomb() == kFullChroma) reader.skip(1);
    const uint64_t width = reader.exp_golomb();
    return {width, reader.exp_golomb()};
}

/// Calls `each` with the units of a box hvcC.
template <typename Each>
void read_config(const Bytes& config, Each each) {
    uint64_t offset = 23;
    for (int arrays = config.u8(22); arrays > 0; --arrays) {
        const uint64_t units = config.big_endian(offset + 1, 2);
        offset += 3;
        for (uint64_t i = 0; i < units; ++i) {
            const uint64_t length = config.big_endian(offset, 2);
            each(config.part(offset + 2, length));
            offset += 2 + length;
        }
    }
}

/// The decoder's planes. It asks for one picture, whose bytes are zero where nothing is decoded:
/// nobody shall see what else this process has had in its memory.
class Planes {
  public:
    explicit Planes(uint64_t max_pixels) : max_pixels_(max_pixels) {}

    de265_image_allocation functions() const {
        return {[](de265_decoder_context*, de265_image_spec* spec, de265_image* image, void* self) {
                    return static_cast<Planes*>(self)->allocate(*spec, image) ? 1 : 0;
                },
                [](de265_decoder_context*, de265_image*, void*) {}};
    }
    bool lacks_memory() const { return lacks_memory_; }

  private:
    struct Free {
        void operator()(uint8_t* bytes) const { std::free(bytes); }
    };

    bool allocate(const de265_image_spec& spec, de265_image* image) {
        const auto width = static_cast<uint64_t>(spec.width);
        const auto height = static_cast<uint64_t>(spec.height);
        if (planes_[0] || spec.width <= 0 || spec.height <= 0 || width * height > max_pixels_)
            return false;
        const bool halves_columns = spec.format == de265_image_format_YUV420P8 ||
                                    spec.format == de265_image_format_YUV422P8;
        const bool halves_rows = spec.format == de265_image_format_YUV420P8;
        for (int plane = 0; plane < 3; ++plane) {
            if (plane > 0 && spec.format == de265_image_format_mono8) break;
            const uint64_t columns = plane > 0 && halves_columns ? width / 2 : width;
            const uint64_t rows = plane > 0 && halves_rows ? height / 2 : height;
            const auto alignment = static_cast<uint64_t>(std::max(spec.alignment, 16));
            const uint64_t stride = (columns + alignment - 1) / alignment * alignment;
            // Samples may have two bytes; the decoder reads a little beyond the end.
            constexpr uint64_t kSampleBytes = 2, kSlackBytes = 64;
            planes_[plane].reset(
                static_cast<uint8_t*>(std::calloc(stride * rows + kSlackBytes, kSampleBytes)));
            lacks_memory_ |= !planes_[plane];
            if (lacks_memory_) return false;
            de265_set_image_plane(image, plane, planes_[plane].get(), static_cast<int>(stride),
                                  nullptr);
        }
        return true;
    }

    const uint64_t max_pixels_;
    std::unique_ptr<uint8_t, Free> planes_[3];
    bool lacks_memory_ = false;
};

YuvPicture picture_of(const de265_image* image) {
    const de265_chroma chroma = de265_get_chroma_format(image);
    YuvPicture picture = {
        .planes = {},
        .row_bytes = {},
        .width = de265_get_image_width(image, 0),
        .height = de265_get_image_height(image, 0),
        .chroma_shift_x = chroma == de265_chroma_420 || chroma == de265_chroma_422 ? 1 : 0,
        .chroma_shift_y = chroma == de265_chroma_420 ? 1 : 0,
        .bits = de265_get_bits_per_pixel(image, 0),
        .is_grey = chroma == de265_chroma_mono,
        .colour = {.primaries = static_cast<uint32_t>(de265_get_image_colour_primaries(image)),
                   .matrix = static_cast<uint32_t>(de265_get_image_matrix_coefficients(image)),
                   .is_full_range = de265_get_image_full_range_flag(image) != 0}};
    for (int plane = 0; plane < (picture.is_grey ? 1 : 3); ++plane) {
        if (de265_get_bits_per_pixel(image, plane) != picture.bits)
            throw ImageError(ImageFault::kUnsupportedFormat,
                             "HEIC images whose channels have different depths are not supported");
        int row_bytes = 0;
        picture.planes[plane] = de265_get_image_plane(image, plane, &row_bytes);
        picture.row_bytes[plane] = row_bytes;
    }
    return picture;
}

class Decoder {
  public:
    explicit Decoder(uint64_t max_pixels)
        : max_pixels_(max_pixels), planes_(max_pixels), context_(de265_new_decoder()) {
        if (!context_) throw std::bad_alloc();
        de265_image_allocation functions = planes_.functions();
        de265_set_image_allocation_functions(context_.get(), &functions, &planes_);
    }

    void push(const Bytes& unit) {
        // Tables are made of what these say before the picture's memory is asked for.
        if (unit_type(unit) == kSequenceParameters) {
            const CodedSize size = size_of_sequence(unit);
            if (size.width * size.height > max_pixels_) throw BytesEnd{};
        }
        check(de265_push_NAL(context_.get(), unit.span().data(), static_cast<int>(unit.size()), 0,
                             nullptr));
    }

    const de265_image* picture() {
        check(de265_flush_data(context_.get()));
        for (int more = 1; more != 0;) {
            const de265_error error = de265_decode(context_.get(), &more);
            if (const de265_image* image = de265_get_next_picture(context_.get())) return image;
            check(error);
        }
        throw BytesEnd{};
    }

  private:
    void check(de265_error error) const {
        if (planes_.lacks_memory()) throw std::bad_alloc();
        if (!de265_isOK(error)) throw BytesEnd{};
    }

    struct Close {
        void operator()(de265_decoder_context* context) const { de265_free_decoder(context); }
    };

    const uint64_t max_pixels_;
    Planes planes_;  // outlives the decoder
    std::unique_ptr<de265_decoder_context, Close> context_;
};

Bytes joined(const std::vector<Bytes>& pieces, std::vector<uint8_t>& place) {
    if (pieces.size() == 1) return pieces[0];
    for (const Bytes& piece : pieces) {
        place.insert(place.end(), piece.span().begin(), piece.span().end());
    }
    return Bytes(place);
}

}  // namespace

std::vector<CodedSize> hevc_sizes(const Bytes& config) {
    std::vector<CodedSize> sizes;
    read_config(config, [&sizes](const Bytes& unit) {
        if (unit_type(unit) == kSequenceParameters) sizes.push_back(size_of_sequence(unit));
    });
    return sizes;
}

void decode_hevc(const Bytes& config, const std::vector<Bytes>& data, uint64_t max_pixels,
                 const std::function<void(const YuvPicture&)>& use) {
    Decoder decoder(max_pixels);
    read_config(config, [&decoder](const Bytes& unit) { decoder.push(unit); });
    const int length_bytes = (config.u8(21) & 3) + 1;
    std::vector<uint8_t> place;
    const Bytes units = joined(data, place);
    for (uint64_t offset = 0; offset < units.size();) {
        const uint64_t length = units.big_endian(offset, length_bytes);
        decoder.push(units.part(offset + length_bytes, length));
        offset += length_bytes + length;
    }
    use(picture_of(decoder.picture()));
}

}  // namespace lookalike
