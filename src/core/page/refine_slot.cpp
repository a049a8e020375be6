#include "core/page/refine_slot.h"

#include <cstring>

#include "core/page/checksum.h"

namespace lookalike {
namespace {

// Zeros have a checksum that is not zero.
uint16_t slot_checksum(const EntryPointer& pointer, const uint8_t* code, size_t length) {
    uint64_t start = ~uint64_t{0};
    std::memcpy(&start, &pointer, sizeof pointer);
    return static_cast<uint16_t>(checksum(code, length, start) >> 48);
}

}  // namespace

void write_slot(uint8_t* slot, const EncodedEntry& entry, uint32_t slot_bytes) {
    const size_t length = slot_bytes - sizeof(RefineSlotHeader);
    const RefineSlotHeader header{entry.pointer,
                                  slot_checksum(entry.pointer, entry.refine, length)};
    std::memcpy(slot, &header, sizeof header);
    std::memcpy(slot + sizeof header, entry.refine, length);
}

bool is_intact(const uint8_t* slot, uint32_t slot_bytes) {
    RefineSlotHeader header;
    std::memcpy(&header, slot, sizeof header);
    return header.checksum ==
           slot_checksum(header.pointer, slot + sizeof header, slot_bytes - sizeof header);
}

void read_slot_floats(const uint8_t* slot, uint32_t dims, float* to) {
    const uint8_t* elements = slot + sizeof(RefineSlotHeader) + sizeof(RefineHeader);
    std::memcpy(to, elements, sizeof(float) * dims);
}

}  // namespace lookalike
