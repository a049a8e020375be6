// OpenCV 4.6 reads no animations, but a frame holds the same chunks as a still image.
#include <string_view>

#include "image/bytes.h"
#include "image/decode.h"

namespace lookalike {
namespace {

using namespace std::string_view_literals;

template <typename Range>
void append(std::vector<uint8_t>& out, const Range& bytes) {
    for (const auto byte : bytes) {
        out.push_back(static_cast<uint8_t>(byte));
    }
}

void append_size(std::vector<uint8_t>& out, uint64_t size) {
    for (int i = 0; i < 4; ++i) {
        out.push_back(static_cast<uint8_t>(size >> (8 * i)));
    }
}

}  // namespace

std::vector<uint8_t> first_webp_frame(std::span<const uint8_t> image) {
    const Bytes file(image);
    uint64_t offset = 12;
    while (!file.starts_with("ANMF", offset)) {
        const uint64_t length = file.little_endian(offset + 4, 4);
        offset += 8 + length + (length & 1);
    }
    const uint64_t length = file.little_endian(offset + 4, 4);
    constexpr uint64_t kFrameHeader = 16;
    const Bytes frame = file.part(offset + 8, length);
    const Bytes chunks = frame.from(kFrameHeader);

    std::vector<uint8_t> out;
    append(out, "RIFF"sv);
    const bool has_separate_alpha = chunks.starts_with("ALPH");
    constexpr uint64_t kExtendedChunk = 18;
    append_size(out, 4 + (has_separate_alpha ? kExtendedChunk : 0) + chunks.size());
    append(out, "WEBP"sv);
    if (has_separate_alpha) {
        append(out, "VP8X"sv);
        append_size(out, 10);
        append_size(out, 0x10);
        append(out, frame.part(6, 6).span());  // width and height
    }
    append(out, chunks.span());
    return out;
}

}  // namespace lookalike
