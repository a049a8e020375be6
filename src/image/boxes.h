// Boxes of the ISO base media file format, in which HEIF and JPEG 2000 files are written.
#pragma once

#include <cstdint>

#include "image/bytes.h"

namespace lookalike {

/// Four characters, as boxes, items and brands are named.
constexpr uint32_t four_cc(const char (&name)[5]) {
    return uint32_t{static_cast<uint8_t>(name[0])} << 24 |
           uint32_t{static_cast<uint8_t>(name[1])} << 16 |
           uint32_t{static_cast<uint8_t>(name[2])} << 8 | static_cast<uint8_t>(name[3]);
}

/// Calls `each` with type and content of every box. A last one that is cut off has what is there.
/// Throws BytesEnd.
template <typename Each>
void read_boxes(const Bytes& boxes, Each each) {
    constexpr uint64_t kBoxHeader = 8;
    for (uint64_t offset = 0; offset < boxes.size();) {
        uint64_t length = boxes.big_endian(offset, 4);
        const auto type = static_cast<uint32_t>(boxes.big_endian(offset + 4, 4));
        uint64_t header = kBoxHeader;
        if (length == 1) {
            length = boxes.big_endian(offset + kBoxHeader, 8);
            header += 8;
        } else if (length == 0) {
            length = boxes.size() - offset;
        }
        if (length < header) throw BytesEnd{};
        each(type, boxes.up_to(offset + header, length - header));
        if (length > boxes.size() - offset) return;
        offset += length;
    }
}

}  // namespace lookalike
