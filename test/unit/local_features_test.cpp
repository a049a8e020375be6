#include "core/local/local_features.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "local_set.h"

namespace lookalike {
namespace {

constexpr LocalKind kKinds[] = {LocalKind::kOrb, LocalKind::kSift};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<LocalSample> three_samples(LocalKind kind) {
    std::mt19937 random(3);
    auto samples = random_samples(kind, 3, 0, 0, random);
    samples[0].place = {.x = 0, .y = 1, .scale = 2, .angle = 3, .strength = 255};
    samples[1].place = {.x = 0xffff, .y = 0x1234, .scale = 254, .angle = 253, .strength = 100};
    samples[2].place = {.x = 258, .y = 772, .scale = 0, .angle = 255, .strength = 100};
    return samples;
}

Bytes three_features(LocalKind kind) {
    return local_value(local_header(kind, 640, 480), three_samples(kind));
}

std::string fault_of(const Bytes& bytes) {
    const char* fault = local_features_fault(bytes);
    return fault == nullptr ? "none" : fault;
}

TEST(LocalFeatures, NumbersStay) {
    EXPECT_EQ(static_cast<int>(LocalKind::kOrb), 1);
    EXPECT_EQ(static_cast<int>(LocalKind::kSift), 2);
    EXPECT_STREQ(local_kind_name(LocalKind::kOrb), "orb");
    EXPECT_STREQ(local_kind_name(LocalKind::kSift), "sift");
    EXPECT_FALSE(is_local_kind(0));
    EXPECT_FALSE(is_local_kind(3));
}

// What tables hold: the header, then the columns one after the other.
TEST(LocalFeatures, ColumnsLieWhereTheyAreDescribed) {
    for (const LocalKind kind : kKinds) {
        const auto samples = three_samples(kind);
        const Bytes bytes = three_features(kind);
        const size_t descriptor_bytes = local_descriptor_bytes(kind);
        ASSERT_EQ(bytes.size(), 16 + 3 * (descriptor_bytes + 7));
        const Bytes header = {
            static_cast<uint8_t>(kind), 1, 0, 0, 3, 0, 0, 0, 0x80, 2, 0, 0, 0xe0, 1, 0, 0};
        EXPECT_TRUE(std::equal(header.begin(), header.end(), bytes.begin()));
        for (size_t i = 0; i < 3; ++i)
            EXPECT_TRUE(std::equal(samples[i].descriptor.begin(), samples[i].descriptor.end(),
                                   bytes.begin() + 16 + i * descriptor_bytes));
        const Bytes columns = {0, 0, 0xff, 0xff, 2, 1,   1,   0,   0x34, 0x12, 4,
                               3, 2, 254,  0,    3, 253, 255, 255, 100,  100};
        EXPECT_TRUE(
            std::equal(columns.begin(), columns.end(), bytes.begin() + 16 + 3 * descriptor_bytes));
    }
}

TEST(LocalFeatures, AViewShowsWhatWasLaidOut) {
    for (const LocalKind kind : kKinds) {
        const auto samples = three_samples(kind);
        const Bytes bytes = three_features(kind);
        const LocalFeatures features = view_local_features(bytes.data());
        EXPECT_EQ(features.kind(), kind);
        ASSERT_EQ(features.count(), 3u);
        EXPECT_EQ(features.header.width, 640u);
        EXPECT_EQ(features.header.height, 480u);
        for (uint32_t i = 0; i < 3; ++i) {
            const LocalPlace place = features.place(i), right = samples[i].place;
            EXPECT_EQ(place.x, right.x);
            EXPECT_EQ(place.y, right.y);
            EXPECT_EQ(place.scale, right.scale);
            EXPECT_EQ(place.angle, right.angle);
            EXPECT_EQ(place.strength, right.strength);
            EXPECT_EQ(Bytes(features.descriptor(i), features.descriptor(i + 1)),
                      samples[i].descriptor);
        }
    }
}

TEST(LocalFeatures, EveryOtherLengthIsAFault) {
    for (const LocalKind kind : kKinds) {
        const Bytes whole = three_features(kind);
        EXPECT_EQ(fault_of(whole), "none");
        for (size_t length = 0; length <= whole.size() + 40; ++length) {
            Bytes other = whole;
            other.resize(length);
            if (length == whole.size()) continue;
            EXPECT_EQ(fault_of(other), length < 16 ? "local features end within their header"
                                                   : "local features have a wrong length");
        }
    }
}

TEST(LocalFeatures, EachFaultIsTold) {
    using Header = LocalFeaturesHeader;
    const std::pair<const char*, std::function<void(Header&)>> cases[] = {
        {"none", [](Header&) {}},
        {"unknown kind of local features", [](Header& h) { h.kind = LocalKind{0}; }},
        {"unknown kind of local features", [](Header& h) { h.kind = LocalKind{3}; }},
        {"unknown kind of local features", [](Header& h) { h.kind = LocalKind{255}; }},
        {"unknown version of local features", [](Header& h) { h.version = 0; }},
        {"unknown version of local features", [](Header& h) { h.version = 3; }},
        {"none", [](Header& h) { h.mirrored = 1; }},
        {"local features have unknown flags", [](Header& h) { h.mirrored = 2; }},
        {"local features have unknown flags", [](Header& h) { h.reserved = 1; }},
        {"local features have a wrong length", [](Header& h) { h.count = 2; }},
        {"local features have a wrong length", [](Header& h) { h.count = 4; }},
        {"local features have a wrong length", [](Header& h) { h.count = 10000; }},
        {"too many local features", [](Header& h) { h.count = 10001; }},
        {"too many local features", [](Header& h) { h.count = 0xffffffff; }},
        {"size of the picture of local features is out of range", [](Header& h) { h.width = 0; }},
        {"size of the picture of local features is out of range", [](Header& h) { h.height = 0; }},
        {"size of the picture of local features is out of range",
         [](Header& h) { h.width = h.height = (1u << 30) + 1; }},
        {"size of the picture of local features is out of range",
         [](Header& h) { h.height = 0xffffffff; }},
        {"none", [](Header& h) { h.width = h.height = 1u << 30; }},
        {"a local feature lies outside of its picture", [](Header& h) { h.width = 479; }}};
    for (const LocalKind kind : kKinds) {
        for (const auto& [fault, change] : cases) {
            Bytes bytes = three_features(kind);
            LocalFeaturesHeader header;
            std::memcpy(&header, bytes.data(), sizeof(header));
            change(header);
            std::memcpy(bytes.data(), &header, sizeof(header));
            EXPECT_EQ(fault_of(bytes), fault);
        }
    }
}

TEST(LocalFeatures, PlacesEndWithThePicture) {
    const auto header = local_header(LocalKind::kOrb, 640, 480);
    EXPECT_EQ(end_of_places(header, 640), 65536u);
    EXPECT_EQ(end_of_places(header, 480), 49152u);
    const auto narrow = local_header(LocalKind::kOrb, 3, 2000);
    EXPECT_EQ(end_of_places(narrow, 3), 99u);  // 98.3
    EXPECT_EQ(end_of_places(narrow, 2000), 65536u);
    const auto large = local_header(LocalKind::kOrb, kMaxPictureSide, 1);
    EXPECT_EQ(end_of_places(large, kMaxPictureSide), 65536u);
    EXPECT_EQ(end_of_places(large, 1), 1u);

    auto samples = three_samples(LocalKind::kOrb);
    samples[1].place.y = 49151;
    EXPECT_EQ(fault_of(local_value(header, samples)), "none");
    samples[1].place.y = 49152;
    EXPECT_EQ(fault_of(local_value(header, samples)),
              "a local feature lies outside of its picture");
    samples[1].place = {.x = 98, .y = 65535, .scale = 0, .angle = 0, .strength = 100};
    samples[2].place.x = 0;
    EXPECT_EQ(fault_of(local_value(narrow, samples)), "none");
    samples[1].place.x = 99;
    EXPECT_EQ(fault_of(local_value(narrow, samples)),
              "a local feature lies outside of its picture");
}

TEST(LocalFeatures, TheStrongestComeFirst) {
    auto samples = three_samples(LocalKind::kSift);
    const auto header = local_header(LocalKind::kSift, 1, 1);
    samples[2].place.strength = 101;
    EXPECT_EQ(fault_of(local_value(header, samples)),
              "local features are not in the order of their strength");
    samples[1].place.strength = 101;
    EXPECT_EQ(fault_of(local_value(header, samples)), "none");
}

TEST(LocalFeatures, TheLimitIsTenThousand) {
    std::mt19937 random(1);
    for (const LocalKind kind : kKinds) {
        const auto header = local_header(kind, 1, 1);
        auto samples = random_samples(kind, 10000, 0, 65535, random);
        EXPECT_EQ(fault_of(local_value(header, samples)), "none");
        samples.push_back(samples.back());
        EXPECT_EQ(fault_of(local_value(header, samples)), "too many local features");
    }
}

TEST(LocalFeatures, EmptySetsAreValues) {
    for (const LocalKind kind : kKinds) {
        const Bytes bytes = local_value(local_header(kind, 5, 7), {});
        EXPECT_EQ(bytes.size(), 16u);
        EXPECT_EQ(fault_of(bytes), "none");
        EXPECT_EQ(view_local_features(bytes.data()).count(), 0u);
    }
}

// Whatever one byte becomes: a fault, or a value all of whose parts can be read.
TEST(LocalFeatures, DamagedBytesAreAFaultOrAValue) {
    int valid = 0, faulty = 0;
    for (const LocalKind kind : kKinds) {
        const Bytes whole = three_features(kind);
        for (size_t at = 0; at < whole.size(); ++at) {
            for (int value = 0; value < 256; ++value) {
                Bytes bytes = whole;
                bytes[at] = static_cast<uint8_t>(value);
                if (local_features_fault(bytes) != nullptr) {
                    ++faulty;
                    continue;
                }
                ++valid;
                const LocalFeatures features = view_local_features(bytes.data());
                ASSERT_EQ(features.strengths + features.count(), bytes.data() + bytes.size());
                for (uint32_t i = 0; i < features.count(); ++i) {
                    const PicturePoint point = point_of(features, i);
                    ASSERT_TRUE(point.x >= 0 && point.x <= features.header.width);
                    ASSERT_TRUE(point.y >= 0 && point.y <= features.header.height);
                }
            }
        }
    }
    EXPECT_GT(valid, 1000);
    EXPECT_GT(faulty, 1000);
}

TEST(LocalFeatures, AChoiceIsCopiedInItsOrder) {
    for (const LocalKind kind : kKinds) {
        const auto samples = three_samples(kind);
        const Bytes bytes = local_value(local_header(kind, 640, 480, true), samples);
        const LocalFeatures features = view_local_features(bytes.data());
        const std::pair<std::vector<uint32_t>, std::vector<LocalSample>> choices[] = {
            {{}, {}},
            {{1}, {samples[1]}},
            {{0, 2}, {samples[0], samples[2]}},
            {{2, 1, 0}, {samples[2], samples[1], samples[0]}},
            {{0, 1, 2}, samples}};
        for (const auto& [chosen, right] : choices) {
            Bytes copy(local_features_bytes(kind, static_cast<uint32_t>(chosen.size())));
            copy_local_features(features, chosen, copy.data());
            EXPECT_EQ(copy, local_value(local_header(kind, 640, 480, true), right));
        }
    }
}

TEST(LocalFeatures, PointsAreThoseOfThePictureAsItIs) {
    for (const bool mirrored : {false, true}) {
        auto samples = three_samples(LocalKind::kOrb);
        samples[0].place.x = 16384;
        samples[0].place.y = 8192;
        const Bytes bytes =
            local_value(local_header(LocalKind::kOrb, 800, 1024, mirrored), samples);
        const LocalFeatures features = view_local_features(bytes.data());
        EXPECT_EQ(point_of(features, 0).x, mirrored ? 544 : 256);
        EXPECT_EQ(point_of(features, 0).y, 128);
    }
}

TEST(LocalFeatures, ABoxHoldsItsBorders) {
    auto samples = three_samples(LocalKind::kOrb);
    const std::pair<uint16_t, uint16_t> places[] = {{6400, 6400}, {12800, 6400}, {12800, 19200}};
    for (size_t i = 0; i < 3; ++i) {
        samples[i].place.x = places[i].first;
        samples[i].place.y = places[i].second;
    }
    const std::pair<PictureBox, std::vector<uint32_t>> cases[] = {
        {{6400, 6400, 12800, 19200}, {0, 1, 2}},
        {{6401, 6400, 12800, 19200}, {1, 2}},
        {{6400, 6401, 12800, 19200}, {2}},
        {{6400, 6400, 12799, 19200}, {0}},
        {{6400, 6400, 12800, 19199}, {0, 1}},
        {{12800, 6400, 12800, 6400}, {1}},
        {{12800, 19200, 6400, 6400}, {}},
        {{-kInfinity, -kInfinity, kInfinity, kInfinity}, {0, 1, 2}},
        {{kNaN, kNaN, kNaN, kNaN}, {}},
        {{6400, 6400, kNaN, 19200}, {}}};
    // A picture of which a place's unit is a pixel.
    const Bytes bytes = local_value(local_header(LocalKind::kOrb, 65536, 65536), samples);
    LocalFeatures features = view_local_features(bytes.data());
    for (const auto& [box, right] : cases) {
        std::vector<uint32_t> chosen(3);
        chosen.resize(features_within(features, box, chosen.data()));
        EXPECT_EQ(chosen, right) << box.left << " " << box.top << " " << box.right << " "
                                 << box.bottom;
    }
    features.header.mirrored = 1;
    std::vector<uint32_t> chosen(3);
    chosen.resize(features_within(features, {0, 0, 65536 - 12800, 65536}, chosen.data()));
    EXPECT_EQ(chosen, (std::vector<uint32_t>{1, 2}));
}

TEST(LocalFeatures, UnitsGoThereAndBack) {
    for (const uint32_t side : {1u, 8u, 337u, 640u, 1000u, kMaxPictureSide}) {
        const auto header = local_header(LocalKind::kOrb, side, 1);
        for (int step = 0; step < 256; ++step)
            EXPECT_EQ(scale_of(pixels_of_scale(header, static_cast<uint8_t>(step)), side), step);
    }
    for (int step = 0; step < 256; ++step) {
        EXPECT_EQ(strength_of(response_of_strength(static_cast<uint8_t>(step))), step);
        EXPECT_EQ(angle_of(degrees_of_angle(static_cast<uint8_t>(step))), step);
    }
}

TEST(LocalFeatures, UnitsMeanWhatIsSaid) {
    const auto header = local_header(LocalKind::kOrb, 480, 640);
    EXPECT_EQ(pixels_of_scale(header, 255), 640);
    EXPECT_EQ(pixels_of_scale(header, 255 - 16), 320);
    EXPECT_EQ(response_of_strength(255), 1);
    EXPECT_EQ(response_of_strength(255 - 8), 0.5);
    EXPECT_EQ(degrees_of_angle(64), 90);
    EXPECT_EQ(angle_of(-90), 192);
    EXPECT_EQ(angle_of(360), 0);
    EXPECT_EQ(angle_of(359.9), 0);
    EXPECT_EQ(angle_of(720 + 45), 32);
}

TEST(LocalFeatures, UnitsEndWhereTheirBytesDo) {
    EXPECT_EQ(scale_of(0, 640), 0);
    EXPECT_EQ(scale_of(-1, 640), 0);
    EXPECT_EQ(scale_of(kNaN, 640), 0);
    EXPECT_EQ(scale_of(1e-300, 640), 0);
    EXPECT_EQ(scale_of(641, 640), 255);
    EXPECT_EQ(scale_of(1e300, 640), 255);
    EXPECT_EQ(scale_of(kInfinity, 640), 255);
    EXPECT_EQ(strength_of(0), 0);
    EXPECT_EQ(strength_of(-1), 0);
    EXPECT_EQ(strength_of(kNaN), 0);
    EXPECT_EQ(strength_of(1e-300), 0);
    EXPECT_EQ(strength_of(1e300), 255);
}

}  // namespace
}  // namespace lookalike
