#include "core/refine_slot.h"

#include <cstring>

namespace lookalike {
namespace {

constexpr uint64_t kSpread = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio

// Sums can be made in vectors. Zeros have a checksum that is not zero.
uint16_t checksum(const EntryPointer& pointer, const uint8_t* code, size_t length) {
    uint64_t sum = kSpread;
    std::memcpy(&sum, &pointer, sizeof pointer);
    uint64_t word;
    for (; length >= sizeof word; length -= sizeof word, code += sizeof word) {
        std::memcpy(&word, code, sizeof word);
        sum += word;
    }
    word = 0;
    std::memcpy(&word, code, length);
    return static_cast<uint16_t>((sum + word) * kSpread >> 48);
}

}  // namespace

void write_slot(uint8_t* slot, const EncodedEntry& entry, uint32_t slot_bytes) {
    const size_t length = slot_bytes - sizeof(RefineSlotHeader);
    const RefineSlotHeader header{entry.pointer, checksum(entry.pointer, entry.refine, length)};
    std::memcpy(slot, &header, sizeof header);
    std::memcpy(slot + sizeof header, entry.refine, length);
}

bool is_intact(const uint8_t* slot, uint32_t slot_bytes) {
    RefineSlotHeader header;
    std::memcpy(&header, slot, sizeof header);
    return header.checksum ==
           checksum(header.pointer, slot + sizeof header, slot_bytes - sizeof header);
}

}  // namespace lookalike
