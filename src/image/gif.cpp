#include "image/gif.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace lookalike {
namespace {

constexpr uint8_t kExtension = 0x21, kPicture = 0x2c, kGraphicControl = 0xf9;
constexpr uint64_t kFileHeader = 13;

uint64_t palette_bytes(uint8_t flags) {
    return (flags & 0x80) == 0 ? 0 : 3 * (uint64_t{2} << (flags & 7));
}

/// Calls `each` with every block of a chain, until its end or until that is false. Returns the
/// offset behind the last one seen.
template <typename Each>
uint64_t read_blocks(const Bytes& file, uint64_t offset, Each each) {
    while (const uint8_t length = file.u8(offset)) {
        const Bytes block = file.part(offset + 1, length);
        offset += 1 + length;
        if (!each(block)) return offset;
    }
    return offset + 1;
}

uint64_t read_extension(const Bytes& file, uint64_t offset, GifImage& image) {
    const uint8_t label = file.u8(offset);
    return read_blocks(file, offset + 1, [&](const Bytes& block) {
        if (label == kGraphicControl && block.size() == 4) {
            image.transparent.reset();
            if (block.u8(0) & 1) image.transparent = block.u8(3);
        }
        return true;
    });
}

/// Takes codes from blocks of bytes and gives the bytes that they stand for.
class Lzw {
  public:
    explicit Lzw(uint8_t literal_bits)
        : literal_bits_(checked(literal_bits)), clear_(1 << literal_bits_), end_(clear_ + 1) {
        start();
    }

    /// Calls `put` with each byte. False after the code that ends the data, or when `put` was.
    template <typename Put>
    bool decode(const Bytes& block, Put put) {
        for (const uint8_t byte : block.span()) {
            bits_ |= uint32_t{byte} << bit_count_;
            bit_count_ += 8;
            while (bit_count_ >= code_bits_) {
                const int code = static_cast<int>(bits_ & ((1u << code_bits_) - 1));
                bits_ >>= code_bits_;
                bit_count_ -= code_bits_;
                if (code == end_ || !expand(code, put)) return false;
            }
        }
        return true;
    }

  private:
    static constexpr int kMaxCodes = 4096, kNone = -1;

    static int checked(uint8_t literal_bits) {
        if (literal_bits < 1 || literal_bits > 8) throw BytesEnd{};
        return literal_bits;
    }

    void start() {
        code_bits_ = literal_bits_ + 1;
        next_ = end_ + 1;
        previous_ = kNone;
    }

    template <typename Put>
    bool expand(int code, Put put) {
        if (code == clear_) {
            start();
            return true;
        }
        if (code > next_ || (code == next_ && previous_ == kNone)) throw BytesEnd{};
        // The code that is just about to be known is its predecessor and that one's first byte.
        int count = 0;
        int rest = code;
        if (code == next_) {
            rest = previous_;
            ++count;
        }
        for (; rest > end_; rest = prefix_[rest]) {
            bytes_[count++] = suffix_[rest];
        }
        const auto first = static_cast<uint8_t>(rest);
        bytes_[count] = first;
        if (code == next_) bytes_[0] = first;
        learn(first);
        previous_ = code;
        for (; count >= 0; --count) {
            if (!put(bytes_[count])) return false;
        }
        return true;
    }

    void learn(uint8_t first) {
        if (previous_ == kNone || next_ == kMaxCodes) return;
        prefix_[next_] = static_cast<uint16_t>(previous_);
        suffix_[next_] = first;
        ++next_;
        if (next_ == 1 << code_bits_ && code_bits_ < 12) ++code_bits_;
    }

    const int literal_bits_, clear_, end_;
    int code_bits_, next_, previous_;
    uint32_t bits_ = 0;
    int bit_count_ = 0;
    std::array<uint16_t, kMaxCodes> prefix_;
    std::array<uint8_t, kMaxCodes> suffix_;
    std::array<uint8_t, kMaxCodes> bytes_;  // of one code, last first
};

/// The rows of an interlaced picture come in four passes.
class RowOrder {
  public:
    RowOrder(int rows, bool is_interlaced) : rows_(rows), is_interlaced_(is_interlaced) {}
    int row() const { return row_; }
    void advance() {
        static constexpr int kFirst[] = {0, 4, 2, 1}, kStep[] = {8, 8, 4, 2};
        row_ += is_interlaced_ ? kStep[pass_] : 1;
        while (is_interlaced_ && row_ >= rows_ && pass_ < 3) {
            row_ = kFirst[++pass_];
        }
    }

  private:
    const int rows_;
    const bool is_interlaced_;
    int row_ = 0, pass_ = 0;
};

/// Blue, green, red, alpha of each colour. A number beyond the palette is black.
std::array<cv::Vec4b, 256> colours_of(const GifImage& image) {
    std::array<cv::Vec4b, 256> colours;
    colours.fill({0, 0, 0, 255});
    const auto rgb = image.palette.span();
    for (size_t i = 0; 3 * i < rgb.size(); ++i) {
        colours[i] = {rgb[3 * i + 2], rgb[3 * i + 1], rgb[3 * i], 255};
    }
    if (image.transparent) colours[*image.transparent] = {0, 0, 0, 0};
    return colours;
}

}  // namespace

bool GifImage::has_alpha() const {
    const cv::Rect canvas(0, 0, static_cast<int>(canvas_width), static_cast<int>(canvas_height));
    return transparent.has_value() || (place & canvas) != canvas;
}

GifImage read_gif_image(const Bytes& file) {
    GifImage image;
    image.canvas_width = static_cast<uint32_t>(file.little_endian(6, 2));
    image.canvas_height = static_cast<uint32_t>(file.little_endian(8, 2));
    image.palette = file.part(kFileHeader, palette_bytes(file.u8(10)));
    uint64_t offset = kFileHeader + image.palette.size();
    while (file.u8(offset) == kExtension) {
        offset = read_extension(file, offset + 1, image);
    }
    if (file.u8(offset) != kPicture) throw BytesEnd{};
    const auto number = [&](int i) {
        return static_cast<int>(file.little_endian(offset + 1 + 2 * i, 2));
    };
    image.place = {number(0), number(1), number(2), number(3)};
    if (image.place.empty()) throw BytesEnd{};
    const uint8_t flags = file.u8(offset + 9);
    image.is_interlaced = (flags & 0x40) != 0;
    offset += 10;
    if (const uint64_t own_bytes = palette_bytes(flags)) {
        image.palette = file.part(offset, own_bytes);
        offset += own_bytes;
    }
    if (image.palette.size() == 0) throw BytesEnd{};
    image.pixels_offset = offset;
    return image;
}

cv::Mat decode_gif(const Bytes& file) {
    const GifImage image = read_gif_image(file);
    cv::Mat canvas(static_cast<int>(image.canvas_height), static_cast<int>(image.canvas_width),
                   image.has_alpha() ? CV_8UC4 : CV_8UC3, cv::Scalar(0, 0, 0, 0));
    const std::array<cv::Vec4b, 256> colours = colours_of(image);
    const int visible_columns = std::min(image.place.width, canvas.cols - image.place.x);
    RowOrder order(image.place.height, image.is_interlaced);
    int column = 0;
    const auto put = [&](uint8_t colour) {
        const int y = image.place.y + order.row();
        if (column < visible_columns && y < canvas.rows) {
            std::memcpy(canvas.ptr(y, image.place.x + column), colours[colour].val,
                        canvas.elemSize());
        }
        if (++column == image.place.width) {
            column = 0;
            order.advance();
        }
        return order.row() < image.place.height;
    };
    Lzw lzw(file.u8(image.pixels_offset));
    read_blocks(file, image.pixels_offset + 1,
                [&](const Bytes& block) { return lzw.decode(block, put); });
    if (order.row() < image.place.height) throw BytesEnd{};
    return canvas;
}

}  // namespace lookalike
