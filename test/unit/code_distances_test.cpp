#include "core/votes/code_distances.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <vector>

namespace lookalike {
namespace {

TEST(CodeDistances, CountsBitsThatDiffer) {
    std::mt19937 random(20261201);
    for (const size_t count : {0, 1, 2, 3, 7, 8, 31, 32, 33, 100}) {
        std::vector<uint8_t> codes(kLocalCodeBytes * (count + 1));
        for (uint8_t& byte : codes)
            byte = static_cast<uint8_t>(random());
        const uint8_t* own = codes.data() + kLocalCodeBytes * count;
        std::vector<uint8_t> distances(count + 1, 255);
        code_distances(own, codes.data(), count, distances.data());
        for (size_t i = 0; i < count; ++i) {
            int expected = 0;
            for (size_t byte = 0; byte < kLocalCodeBytes; ++byte)
                expected += std::popcount(
                    static_cast<uint8_t>(own[byte] ^ codes[i * kLocalCodeBytes + byte]));
            EXPECT_EQ(distances[i], expected) << i << " of " << count;
        }
        EXPECT_EQ(distances[count], 255);
    }
}

}  // namespace
}  // namespace lookalike
