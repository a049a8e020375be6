#include "core/page/page_parts.h"

#include <bit>
#include <cstring>

namespace lookalike {
namespace {

constexpr uint32_t kHeaderBytes = 4;
constexpr uint32_t kWord = sizeof(uint64_t);

uint64_t word_at(const uint8_t* bytes) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
}

/// The first byte from `at` on that differs; `end`: none does.
uint32_t first_difference(const uint8_t* page, const uint8_t* changed, uint32_t at, uint32_t end) {
    for (; at + kWord <= end; at += kWord) {
        const uint64_t differs = word_at(page + at) ^ word_at(changed + at);
        if (differs == 0) continue;
        const int bits = std::endian::native == std::endian::little ? std::countr_zero(differs)
                                                                    : std::countl_zero(differs);
        return at + static_cast<uint32_t>(bits) / 8;
    }
    while (at < end && page[at] == changed[at])
        ++at;
    return at;
}

uint8_t* write_fragment(const uint8_t* changed, uint32_t begin, uint32_t end, uint8_t* to) {
    const uint16_t header[2] = {static_cast<uint16_t>(begin), static_cast<uint16_t>(end - begin)};
    static_assert(sizeof header == kHeaderBytes);
    std::memcpy(to, header, sizeof header);
    std::memcpy(to + sizeof header, changed + begin, end - begin);
    return to + sizeof header + (end - begin);
}

}  // namespace

size_t write_delta(const uint8_t* page, const uint8_t* changed, const PageParts& parts,
                   uint8_t* delta) {
    uint8_t* to = delta;
    for (const PagePart& part : parts) {
        const uint32_t part_end = part.offset + part.length;
        uint32_t begin = first_difference(page, changed, part.offset, part_end);
        while (begin < part_end) {
            uint32_t end = begin;
            uint32_t next = begin;
            // A gap that is shorter than a header is not worth one.
            while (next < part_end && next <= end + kHeaderBytes) {
                end = next;
                while (end < part_end && page[end] != changed[end])
                    ++end;
                next = first_difference(page, changed, end, part_end);
            }
            to = write_fragment(changed, begin, end, to);
            begin = next;
        }
    }
    return static_cast<size_t>(to - delta);
}

}  // namespace lookalike
