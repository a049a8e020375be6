#include "core/local/local_text.h"

#include <gtest/gtest.h>

#include <string>

#include "local_set.h"

namespace lookalike {
namespace {

/// Reads as local_features_in() does; buffers have exactly their size.
struct Reading {
    std::string fault = "none";
    size_t offset = 0;
    Bytes bytes;

    explicit Reading(std::string_view text) {
        const LocalText header = read_local_text_header(text);
        if (take(header)) return;
        bytes.resize(local_features_bytes(header.header.kind, header.header.count));
        take(read_local_text(text, header.header, bytes.data()));
    }

  private:
    bool take(const LocalText& read) {
        if (read.fault == nullptr) return false;
        fault = read.fault;
        offset = read.offset;
        return true;
    }
};

std::string text_of(const Bytes& value) {
    const LocalFeatures features = view_local_features(value.data());
    std::string text(max_local_text_bytes(features.kind(), features.count()), '?');
    text.resize(format_local_text(features, text.data()));
    return text;
}

std::string hex(size_t bytes, const char* digits = "0f") {
    std::string text;
    for (size_t i = 0; i < bytes; ++i)
        text += digits;
    return text;
}

const std::string kOrb = hex(32);

void expect_round_trip(const Bytes& value) {
    const std::string text = text_of(value);
    const Reading read(text);
    EXPECT_EQ(read.fault, "none") << text.substr(0, 200);
    EXPECT_EQ(read.bytes, value) << text.substr(0, 200);
}

TEST(LocalText, LooksAsDescribed) {
    const LocalSample sample{{.x = 32768, .y = 100, .scale = 187, .angle = 64, .strength = 90},
                             Bytes(32, 0x0f)};
    auto header = local_header(LocalKind::kOrb, 640, 480);
    EXPECT_EQ(text_of(local_value(header, {})), "orb@1 640x480 {}");
    EXPECT_EQ(text_of(local_value(header, {sample})),
              "orb@1 640x480 {(32768,100,187,64,90," + kOrb + ")}");
    header.mirrored = 1;
    EXPECT_EQ(text_of(local_value(header, {sample, sample})),
              "orb@1 640x480 mirrored {(32768,100,187,64,90," + kOrb + "),(32768,100,187,64,90," +
                  kOrb + ")}");
    EXPECT_EQ(text_of(local_value(local_header(LocalKind::kSift, 1, kMaxPictureSide, true), {})),
              "sift@1 1x1073741824 mirrored {}");
}

TEST(LocalText, ValuesComeBack) {
    std::mt19937 random(1);
    for (const LocalKind kind : {LocalKind::kOrb, LocalKind::kSift}) {
        for (const bool mirrored : {false, true}) {
            for (const uint32_t count : {0, 1, 2, 150, 10000}) {
                SCOPED_TRACE(count);
                expect_round_trip(local_value(local_header(kind, 4000, 3000, mirrored),
                                              random_samples(kind, count, 0, 49151, random)));
            }
        }
    }
}

TEST(LocalText, TheLongestFits) {
    for (const LocalKind kind : {LocalKind::kOrb, LocalKind::kSift}) {
        const LocalSample longest{
            {.x = 65535, .y = 65535, .scale = 255, .angle = 255, .strength = 255},
            Bytes(local_descriptor_bytes(kind), 255)};
        for (const size_t count : {0, 1, 7, 10000}) {
            const Bytes value =
                local_value(local_header(kind, kMaxPictureSide, kMaxPictureSide, true),
                            std::vector<LocalSample>(count, longest));
            EXPECT_LE(text_of(value).size(),
                      max_local_text_bytes(kind, static_cast<uint32_t>(count)));
            expect_round_trip(value);
        }
    }
}

TEST(LocalText, SpacesMayStandBetween) {
    const Bytes plain = Reading("orb@1 640x480 mirrored {(1,2,3,4,5," + kOrb + ")}").bytes;
    ASSERT_FALSE(plain.empty());
    const Reading spaced(" \t orb @ 1\n640 x\r480 mirrored\n{ ( 1 , 2 , 3 , 4 , 5 ,\n" + kOrb +
                         " ) } \n");
    EXPECT_EQ(spaced.fault, "none");
    EXPECT_EQ(spaced.bytes, plain);
    const Reading dense("orb@1 640x480mirrored{(1,2,3,4,5," + kOrb + ")}");
    EXPECT_EQ(dense.fault, "none");
    EXPECT_EQ(dense.bytes, plain);
}

TEST(LocalText, CapitalDigitsAreRead) {
    EXPECT_EQ(Reading("orb@1 1x1 {(1,2,3,4,5," + hex(32, "AB") + ")}").bytes,
              Reading("orb@1 1x1 {(1,2,3,4,5," + hex(32, "ab") + ")}").bytes);
}

// A check of the bytes is the caller's: another version, places outside, the order of strengths.
TEST(LocalText, WhatTheTextCanSayIsRead) {
    const Reading read("orb@7 0x0 {(1,2,3,4,5," + kOrb + "),(1,2,3,4,6," + kOrb + ")}");
    EXPECT_EQ(read.fault, "none");
    EXPECT_NE(local_features_fault(read.bytes), nullptr);
}

struct Mistake {
    std::string text;
    const char* fault;
    std::string rest;  ///< of the text, from the fault on
};

void expect_told(const std::vector<Mistake>& mistakes) {
    for (const auto& [text, fault, rest] : mistakes) {
        const Reading read(text);
        EXPECT_EQ(read.fault, fault) << text;
        EXPECT_EQ(text.substr(read.offset), rest) << text;
    }
}

TEST(LocalText, MistakesOfTheHeaderAreTold) {
    expect_told({
        {"", "expected \"orb\" or \"sift\"", ""},
        {"  ", "expected \"orb\" or \"sift\"", ""},
        {"surf@1 1x1 {}", "expected \"orb\" or \"sift\"", "surf@1 1x1 {}"},
        {"ORB@1 1x1 {}", "expected \"orb\" or \"sift\"", "ORB@1 1x1 {}"},
        {"orb", "expected \"@\" and a version", ""},
        {"orb 1 640x480 {}", "expected \"@\" and a version", "1 640x480 {}"},
        {"orb@x 640x480 {}", "expected a version", "x 640x480 {}"},
        {"orb@256 640x480 {}", "expected a version", "256 640x480 {}"},
        {"orb@-1 640x480 {}", "expected a version", "-1 640x480 {}"},
        {"orb@1 {}", "expected the width of the picture", "{}"},
        {"orb@1 4294967296x1 {}", "expected the width of the picture", "4294967296x1 {}"},
        {"orb@1 640 480 {}", "expected \"x\" and the height of the picture", "480 {}"},
        {"orb@1 640x {}", "expected the height of the picture", "{}"},
        {"orb@1 640x480", "expected \"{\"", ""},
        {"orb@1 640x480 mirror {}", "expected \"{\"", "mirror {}"},
        {"orb@1 640x480 mirrored mirrored {}", "expected \"{\"", "mirrored {}"},
        {"orb@1 640x480 {" + std::string(10001, '('), "too many local features",
         std::string(10001, '(')},
    });
}

TEST(LocalText, MistakesOfFeaturesAreTold) {
    const std::string begin = "orb@1 640x480 {", first = "(1,2,3,4,5," + kOrb + ")";
    expect_told({
        {begin, "expected \"}\"", ""},
        {begin + first, "expected \"}\"", ""},
        {begin + first + "}}", "there is text after the closing \"}\"", "}"},
        {begin + "} x", "there is text after the closing \"}\"", "x"},
        {begin + first + first + "}", "expected \",\" between features", first + "}"},
        {begin + first + ",}", "expected \"}\"", ",}"},
        {begin + "," + first + "}", "expected \"(\"", "," + first + "}"},
        {begin + "x}", "expected \"}\"", "x}"},
        {begin + "(x)}", "expected x, from 0 to 65535", "x)}"},
        {begin + "(-1)}", "expected x, from 0 to 65535", "-1)}"},
        {begin + "(65536,1)}", "expected x, from 0 to 65535", "65536,1)}"},
        {begin + "(1;2)}", "expected \",\" and y", ";2)}"},
        {begin + "(1,65536,1)}", "expected y, from 0 to 65535", "65536,1)}"},
        {begin + "(1,2)}", "expected \",\" and a scale", ")}"},
        {begin + "(1,2,256,1)}", "expected a scale, from 0 to 255", "256,1)}"},
        {begin + "(1,2,3)}", "expected \",\" and an angle", ")}"},
        {begin + "(1,2,3,256)}", "expected an angle, from 0 to 255", "256)}"},
        {begin + "(1,2,3,4)}", "expected \",\" and a strength", ")}"},
        {begin + "(1,2,3,4,99999999999)}", "expected a strength, from 0 to 255", "99999999999)}"},
        {begin + "(1,2,3,4,5)}", "expected \",\" and a descriptor", ")}"},
    });
    const char* digits = "expected the hexadecimal digits of a descriptor";
    expect_told({
        {begin + "(1,2,3,4,5,)}", digits, ")}"},
        {begin + "(1,2,3,4,5,0f0", digits, "0"},
        {begin + "(1,2,3,4,5,0f0)}", digits, "0)}"},
        {begin + "(1,2,3,4,5,0f 0f)}", digits, " 0f)}"},
        {begin + "(1,2,3,4,5,0fxx)}", digits, "xx)}"},
        {begin + "(1,2,3,4,5," + hex(31) + ")}", digits, ")}"},
        {begin + "(1,2,3,4,5," + hex(33) + ")}", "expected \")\"", "0f)}"},
        {begin + "(1,2,3,4,5," + kOrb, "expected \")\"", ""},
        {"sift@1 640x480 {" + first + "}", digits, ")}"},
    });
}

TEST(LocalText, AZeroIsNoSpace) {
    const std::string zero(1, '\0');
    expect_told({{zero + "orb@1 1x1 {}", "expected \"orb\" or \"sift\"", zero + "orb@1 1x1 {}"},
                 {"orb@1 1x1 {}" + zero, "there is text after the closing \"}\"", zero}});
}

TEST(LocalText, EveryTruncationIsAMistake) {
    std::mt19937 random(2);
    const std::string text =
        text_of(local_value(local_header(LocalKind::kOrb, 640, 480, true),
                            random_samples(LocalKind::kOrb, 2, 0, 9000, random)));
    for (size_t length = 0; length < text.size(); ++length) {
        // A copy of its own, so that a sanitizer sees a read behind its end.
        const std::vector<char> start(text.begin(), text.begin() + length);
        const Reading read({start.data(), length});
        EXPECT_NE(read.fault, "none") << length;
        EXPECT_LE(read.offset, length);
    }
}

}  // namespace
}  // namespace lookalike
