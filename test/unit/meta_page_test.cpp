#include "core/page/meta_page.h"

#include <gtest/gtest.h>

#include <string>

#include "core/vector/element.h"

namespace lookalike {
namespace {

MetaPage sound_page() {
    MetaPage meta{};
    meta.magic = kMetaMagic;
    meta.version = kFormatVersion;
    meta.metric = Metric::kCosine;
    meta.kind = static_cast<uint8_t>(Kind::kHalf);
    meta.refine = Refine::kInt8;
    meta.dims = 128;
    meta.depth = 2;
    meta.build_id = 1;
    meta.leaf_count = 100;
    meta.attribute_count = 2;
    meta.attributes[0].width = 4;
    meta.attributes[1].width = 8;
    seal(&meta);
    return meta;
}

const std::string kDamaged = "the meta page is damaged";
const std::string kImpossible = "the meta page holds impossible values";

/// What is wrong once the page has been changed and sealed; empty: nothing.
template <class Change>
std::string fault_after(Change change) {
    MetaPage meta = sound_page();
    change(meta);
    seal(&meta);
    const char* fault = meta_fault(meta);
    return fault == nullptr ? "" : fault;
}

TEST(MetaPage, WhatABuildWritesIsSound) {
    EXPECT_EQ(meta_fault(sound_page()), nullptr);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.depth = 1, m.leaf_count = 1; }), "");
    // An empty table: the first row decides.
    EXPECT_EQ(
        fault_after([](MetaPage& m) { m.depth = 1, m.leaf_count = 1, m.dims = 0, m.kind = 255; }),
        "");
    EXPECT_EQ(fault_after([](MetaPage& m) { m.dims = kMaxDims; }), "");
    EXPECT_EQ(fault_after([](MetaPage& m) {
                  m.metric = Metric::kHamming, m.kind = static_cast<uint8_t>(Kind::kBit);
                  m.dims = kMaxBitDims;
              }),
              "");
    EXPECT_EQ(fault_after([](MetaPage& m) {
                  m.attribute_count = kMaxAttributes;
                  for (AttributeFormat& attribute : m.attributes)
                      attribute.width = 8;
              }),
              "");
}

// Every byte is below the checksum.
TEST(MetaPage, AChangedBitShows) {
    for (size_t byte = 0; byte < sizeof(MetaPage); ++byte) {
        MetaPage meta = sound_page();
        reinterpret_cast<uint8_t*>(&meta)[byte] ^= 16;
        ASSERT_EQ(meta_fault(meta), kDamaged) << byte;
    }
    EXPECT_EQ(meta_fault(MetaPage{}), kDamaged);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.magic = 0; }), kDamaged);
}

TEST(MetaPage, ImpossibleValuesShowThoughSomebodyHasSealedThem) {
    EXPECT_EQ(fault_after([](MetaPage& m) { ++m.version; }), kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.build_id = 0; }), kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.depth = 0; }), kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.depth = 0, m.leaf_count = 1; }), kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.depth = 3; }), kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.leaf_count = 0; }), kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.depth = 1; }), kImpossible);  // of a hundred lists
    EXPECT_EQ(fault_after([](MetaPage& m) { m.dims = 0; }), kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.dims = kMaxDims + 1; }), kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.kind = kKindCount; }), kImpossible);
    // The metric is cosine, which has none for bits.
    EXPECT_EQ(fault_after([](MetaPage& m) { m.kind = static_cast<uint8_t>(Kind::kBit); }),
              kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.metric = Metric::kJaccard; }), kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.metric = static_cast<Metric>(kMetricCount); }),
              kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.refine = static_cast<Refine>(kRefineCount); }),
              kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.attribute_count = kMaxAttributes + 1; }),
              kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.attributes[1].width = 2; }), kImpossible);
    // Entries would be larger than whoever does not know payloads takes them for.
    EXPECT_EQ(fault_after([](MetaPage& m) { m.payload_bytes = 1; }), kImpossible);
    // The next version would be what stands for none.
    EXPECT_EQ(fault_after([](MetaPage& m) { m.tree_version = kInTree; }), kImpossible);
    EXPECT_EQ(fault_after([](MetaPage& m) { m.tree_version = kInTree - 1; }), "");
    // Beyond those that are in use nothing is read.
    EXPECT_EQ(fault_after([](MetaPage& m) { m.attributes[2].width = 2; }), "");
}

TEST(MetaPage, TheMeanHasAChecksumOfItsOwn) {
    const float mean[] = {1, 2, 3};
    const float changed[] = {1, 2, 3.0000002f};
    EXPECT_NE(mean_checksum(mean), mean_checksum(changed));
    EXPECT_EQ(mean_checksum({}), 0u);
}

}  // namespace
}  // namespace lookalike
