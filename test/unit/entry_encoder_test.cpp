#include "core/code/entry_encoder.h"

#include <gtest/gtest.h>

#include <random>

namespace lookalike {
namespace {

std::vector<float> random_vector(uint32_t dims, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> vector(dims);
    for (float& element : vector)
        element = normal(random);
    return vector;
}

IndexShape shape_of(Metric metric, uint32_t dims, Refine refine) {
    MetaPage meta{};
    meta.metric = metric;
    meta.dims = dims;
    meta.refine = refine;
    return index_shape(meta);
}

TEST(EntryEncoder, KeepsWhatTheLevelWants) {
    const uint32_t dims = 100;
    const IndexSpace space(Metric::kL2, dims, 42, {});
    const uint32_t padded = space.padded_dims();
    const std::vector<float> raw = random_vector(dims, 1);
    const std::vector<float> centroid = random_vector(padded, 2);
    std::vector<float> vector(padded);
    const double rounding = space.to_space(raw.data(), vector.data());
    const EntryPointer pointer = entry_pointer(70000, 3);
    for (uint32_t number = 0; number < kRefineCount; ++number) {
        for (const uint32_t level : {0u, 1u}) {
            const auto refine = static_cast<Refine>(number);
            const ListGeometry geometry = list_geometry(Metric::kL2, padded, refine, level);
            EntryEncoder encoder(shape_of(Metric::kL2, dims, refine), &space, level);
            const EncodedEntry entry =
                encoder.encode({vector.data(), rounding, nullptr}, centroid.data(), pointer);
            EXPECT_EQ(entry.pointer, pointer);
            EXPECT_EQ(entry.pointer.block(), 70000u);
            std::vector<uint8_t> code(geometry.row_code_bytes);
            const ScanFactors factors =
                encode_scan_code(space, vector.data(), centroid.data(), code.data());
            EXPECT_EQ(factors.base, entry.factors.base);
            EXPECT_EQ(factors.scale, entry.factors.scale);
            EXPECT_EQ(factors.error, entry.factors.error);
            EXPECT_TRUE(std::equal(code.begin(), code.end(), entry.code));
            if (geometry.slot_bytes == 0) continue;
            std::vector<uint8_t> slot(geometry.slot_bytes - sizeof(RefineSlotHeader));
            const Refine kept = level > 0 ? Refine::kFloat : refine;
            encode_refine(kept, vector.data(), padded, rounding, slot.data());
            EXPECT_TRUE(std::equal(slot.begin(), slot.end(), entry.refine));
        }
    }
}

TEST(EntryEncoder, PadsBitsToWholeWords) {
    EntryEncoder encoder(shape_of(Metric::kHamming, 70, Refine::kInt8), nullptr, 0);
    const std::vector<uint8_t> ones(9, 0xff);
    encoder.encode({nullptr, 0, ones.data()}, nullptr, entry_pointer(1, 1));
    const std::vector<uint8_t> bits = {1, 2, 3, 4, 5, 6, 7, 8, 0xfc};
    const EncodedEntry entry =
        encoder.encode({nullptr, 0, bits.data()}, nullptr, entry_pointer(9, 8));
    EXPECT_EQ(entry.pointer, entry_pointer(9, 8));
    std::vector<uint8_t> expected = bits;
    expected.resize(16);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), entry.code));
}

TEST(EntryEncoder, GivesVectorsAsFloats) {
    const IndexShape real = shape_of(Metric::kL2, 100, Refine::kInt8);
    const std::vector<float> vector = random_vector(real.code_dims, 3);
    EXPECT_EQ(entry_vector_bytes(real), sizeof(float) * real.code_dims);
    EXPECT_EQ(as_floats(real, {vector.data(), 0, nullptr}, nullptr), vector.data());

    const IndexShape binary = shape_of(Metric::kJaccard, 11, Refine::kInt8);
    const std::vector<uint8_t> bits = {0b10100000, 0b01000000};
    EXPECT_EQ(entry_vector_bytes(binary), 2u);
    std::vector<float> signs(11);
    EXPECT_EQ(as_floats(binary, {nullptr, 0, bits.data()}, signs.data()), signs.data());
    EXPECT_EQ(signs, (std::vector<float>{1, -1, 1, -1, -1, -1, -1, -1, -1, 1, -1}));
}

}  // namespace
}  // namespace lookalike
