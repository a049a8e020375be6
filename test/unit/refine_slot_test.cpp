#include "core/page/refine_slot.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace lookalike {
namespace {

TEST(RefineSlot, SeesChangesOfPointerAndCode) {
    std::mt19937 random(3);
    for (const uint32_t length : {12u, 17u, 140u, 1036u}) {
        std::vector<uint8_t> code(length);
        for (uint8_t& byte : code)
            byte = static_cast<uint8_t>(random());
        const uint32_t slot_bytes = sizeof(RefineSlotHeader) + length;
        std::vector<uint8_t> slot(slot_bytes);
        EncodedEntry entry{};
        entry.pointer = entry_pointer(70000, 3);
        entry.refine = code.data();
        write_slot(slot.data(), entry, slot_bytes);
        EXPECT_TRUE(is_intact(slot.data(), slot_bytes));
        RefineSlotHeader header;
        std::memcpy(&header, slot.data(), sizeof header);
        EXPECT_EQ(header.pointer, entry.pointer);
        EXPECT_EQ(std::memcmp(&slot[sizeof header], code.data(), length), 0);
        for (uint32_t bit = 0; bit < slot_bytes * 8; ++bit) {
            slot[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
            EXPECT_FALSE(is_intact(slot.data(), slot_bytes)) << length << " " << bit;
            slot[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
        }
    }
}

TEST(RefineSlot, DoesNotTakeOverwrittenPagesForSlots) {
    for (const uint8_t byte : {0x00, 0x01, 0xff}) {
        const std::vector<uint8_t> slot(148, byte);
        EXPECT_FALSE(is_intact(slot.data(), 148)) << int{byte};
    }
}

}  // namespace
}  // namespace lookalike
