#include "core/vector/projection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "each_target.h"

namespace lookalike {
namespace {

std::vector<std::byte> bytes_of(uint32_t dims_in, uint32_t dims_out,
                                const std::vector<float>& numbers) {
    const ProjectionHeader header{.magic = kProjectionMagic,
                                  .version = kProjectionVersion,
                                  .reserved = 0,
                                  .dims_in = dims_in,
                                  .dims_out = dims_out};
    std::vector<std::byte> bytes(sizeof(header) + numbers.size() * sizeof(float));
    std::memcpy(bytes.data(), &header, sizeof(header));
    std::memcpy(bytes.data() + sizeof(header), numbers.data(), numbers.size() * sizeof(float));
    return bytes;
}

TEST(Projection, MapsRowsAndAddsTheOffset) {
    const auto bytes = bytes_of(2, 3, {1, 2, 3, 10, 20, 30, 100, 200, 300});
    const ProjectionView projection = parse_projection(bytes);
    const float from[] = {2, -1};
    float result[3];
    project(projection, from, result);
    EXPECT_EQ(result[0], 92);
    EXPECT_EQ(result[1], 184);
    EXPECT_EQ(result[2], 276);
}

TEST(Projection, IsTheSameOnEveryProcessor) {
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    for (const uint32_t dims_out : {1u, 5u, 64u, 131u}) {
        constexpr uint32_t kDims = 77;
        std::vector<float> numbers((kDims + 1) * dims_out), from(kDims);
        for (float& x : numbers)
            x = normal(random);
        for (float& x : from)
            x = normal(random);
        const auto bytes = bytes_of(kDims, dims_out, numbers);
        const ProjectionView projection = parse_projection(bytes);
        std::vector<float> first;
        on_each_target([&] {
            std::vector<float> result(dims_out);
            project(projection, from.data(), result.data());
            if (first.empty()) first = result;
            EXPECT_EQ(std::memcmp(first.data(), result.data(), dims_out * sizeof(float)), 0);
        });
        for (uint32_t j = 0; j < dims_out; ++j) {
            double sum = projection.offset[j];
            for (uint32_t i = 0; i < kDims; ++i)
                sum += double{from[i]} * projection.rows[i * dims_out + j];
            EXPECT_NEAR(first[j], sum, 1e-4);
        }
    }
}

TEST(Projection, RefusesBytesThatAreNone) {
    const auto good = bytes_of(2, 1, {1, 2, 3});
    EXPECT_NO_THROW(parse_projection(good));
    const auto changed = [&](size_t place, uint32_t value) {
        auto bytes = good;
        std::memcpy(bytes.data() + place, &value, sizeof(value));
        return bytes;
    };
    EXPECT_THROW(parse_projection({}), InvalidProjection);
    EXPECT_THROW(parse_projection(std::span(good).first(15)), InvalidProjection);
    EXPECT_THROW(parse_projection(std::span(good).first(24)), InvalidProjection);
    EXPECT_THROW(parse_projection(changed(0, 1)), InvalidProjection);
    EXPECT_THROW(parse_projection(changed(4, 2)), InvalidProjection);
    EXPECT_THROW(parse_projection(changed(8, 0)), InvalidProjection);
    EXPECT_THROW(parse_projection(changed(8, kMaxProjectedDims + 1)), InvalidProjection);
    EXPECT_THROW(parse_projection(changed(12, 0)), InvalidProjection);
    EXPECT_THROW(parse_projection(changed(12, 0x80000000u)), InvalidProjection);
    EXPECT_THROW(parse_projection(changed(16, 0x7fc00000u)), InvalidProjection);
}

}  // namespace
}  // namespace lookalike
