#include "image/extractor_spec.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

std::string canonical(std::string_view text) {
    return canonical_text(parse_extractor_spec(text));
}

size_t fault_position(std::string_view text) {
    try {
        parse_extractor_spec(text);
    } catch (const ExtractorSpecError& error) {
        EXPECT_NE(std::string(error.what()).find("position " + std::to_string(error.position + 1)),
                  std::string::npos)
            << error.what();
        return error.position;
    }
    ADD_FAILURE() << "\"" << text << "\" parses";
    return 0;
}

TEST(ExtractorSpec, PartsComeInOrder) {
    const ExtractorSpec spec = parse_extractor_spec(" color:0.6 + net:mobile-net_2@7:2\t");
    ASSERT_EQ(spec.parts.size(), 2u);
    EXPECT_EQ(spec.parts[0].name, "color");
    EXPECT_FALSE(spec.parts[0].is_network());
    EXPECT_EQ(spec.parts[0].version, kDefaultExtractorVersion);
    EXPECT_EQ(spec.parts[0].weight, 0.6f);
    EXPECT_EQ(spec.parts[0].name_position, 1u);
    EXPECT_EQ(spec.parts[1].name, "mobile-net_2");
    EXPECT_TRUE(spec.parts[1].is_network());
    EXPECT_EQ(spec.parts[1].version, 7u);
    EXPECT_EQ(spec.parts[1].weight, 2.0f);
    EXPECT_EQ(spec.parts[1].qualified_name(), "net:mobile-net_2@7");
}

TEST(ExtractorSpec, NamesCodebooks) {
    const ExtractorSpec spec =
        parse_extractor_spec("vlad:textiles@1+bow:a-b@02:0.5 +fisher:net@3 + net:vlad@4");
    ASSERT_EQ(spec.parts.size(), 4u);
    const char* sources[] = {"vlad", "bow", "fisher", "net"};
    for (size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(spec.parts[i].source, sources[i]);
        EXPECT_EQ(spec.parts[i].is_codebook(), i < 3);
        EXPECT_EQ(spec.parts[i].is_network(), i == 3);
        EXPECT_EQ(spec.parts[i].version, i + 1);
    }
    EXPECT_EQ(spec.parts[0].name, "textiles");
    EXPECT_EQ(spec.parts[0].qualified_name(), "vlad:textiles@1");
    EXPECT_EQ(spec.parts[0].model_key(), "codebook:textiles@1");
    EXPECT_EQ(spec.parts[1].model_key(), "codebook:a-b@2");
    EXPECT_EQ(spec.parts[3].model_key(), "vlad@4");
    EXPECT_EQ(canonical("bow:a@01:1 + vlad:b@2"), "bow:a@1+vlad:b@2");
    // Without ":" they are names like others.
    EXPECT_TRUE(parse_extractor_spec("vlad@1").parts[0].source.empty());
    EXPECT_EQ(fault_position("vlad:textiles"), 13u);
    EXPECT_EQ(fault_position("vlad:"), 5u);
    EXPECT_EQ(fault_position("bows:a@1"), 5u);
    EXPECT_EQ(fault_position("vlad:net:a@1"), 8u);
}

TEST(ExtractorSpec, SpellingsOfOneMeaningShareACanonicalText) {
    EXPECT_EQ(canonical("color"), "color@1");
    EXPECT_EQ(canonical("color@1:1.0"), "color@1");
    EXPECT_EQ(canonical("color@001:1"), "color@1");
    EXPECT_EQ(canonical("color:0.60 + pattern:.5"), "color@1:0.6+pattern@1:0.5");
    EXPECT_EQ(canonical("net:x@2:1000"), "net:x@2:1000");
    EXPECT_EQ(canonical("color:0.00000000001"), "color@1:0.00000000001");
    for (const char* text : {"color:0.1+pattern:0.3+color:7", "net:a-b@2147483647:0.333"}) {
        EXPECT_EQ(canonical(canonical(text)), canonical(text));
    }
    EXPECT_NE(canonical("color+pattern"), canonical("pattern+color"));
}

TEST(ExtractorSpec, FaultsAreTheirPosition) {
    EXPECT_EQ(fault_position(""), 0u);
    EXPECT_EQ(fault_position("  "), 2u);
    EXPECT_EQ(fault_position("Color"), 0u);
    EXPECT_EQ(fault_position("color+"), 6u);
    EXPECT_EQ(fault_position("+color"), 0u);
    EXPECT_EQ(fault_position("color pattern"), 6u);
    EXPECT_EQ(fault_position("color:"), 6u);
    EXPECT_EQ(fault_position("color:0"), 6u);
    EXPECT_EQ(fault_position("color:-1"), 6u);
    EXPECT_EQ(fault_position("color:1000.5"), 6u);
    EXPECT_EQ(fault_position("color:0.5.5"), 6u);
    EXPECT_EQ(fault_position("color:1e2"), 7u);
    EXPECT_EQ(fault_position("color:inf"), 6u);
    EXPECT_EQ(fault_position("color@"), 6u);
    EXPECT_EQ(fault_position("color@0"), 6u);
    EXPECT_EQ(fault_position("color@4294967297"), 6u);
    EXPECT_EQ(fault_position("net:"), 4u);
    EXPECT_EQ(fault_position("net:mobilenet"), 13u);
    EXPECT_EQ(fault_position(std::string(64, 'x')), 0u);
    EXPECT_EQ(fault_position(std::string_view("color\0", 6)), 5u);
    std::string many = "color";
    for (int i = 1; i < 16; ++i) {
        many += "+color";
    }
    EXPECT_EQ(parse_extractor_spec(many).parts.size(), 16u);
    EXPECT_EQ(fault_position(many + "+color"), many.size() + 1);
}

}  // namespace
}  // namespace lookalike
