#include "core/vector/distance.h"

#include <gtest/gtest.h>
// As in distance_kernels.cpp: the list of targets must be the same.
#define HWY_WANT_AVX3_DL
#include <hwy/targets.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "core/vector/distance_kernels.h"
#include "core/vector/half.h"

namespace lookalike {
namespace {

constexpr double kFloatEpsilon = 0x1p-23;

/// A descriptor in a buffer of exactly its size (so that a sanitizer sees every stray read) plus
/// `offset` elements in front, which puts the data at every alignment an element can have.
class Value {
  public:
    Value(Kind kind, const std::vector<double>& elements, size_t offset = 0)
        : view_{kind, static_cast<uint32_t>(elements.size()), nullptr} {
        const size_t width = kind == Kind::kReal ? 4 : 2;
        bytes_.resize((offset + elements.size()) * width);
        uint8_t* start = bytes_.data() + offset * width;
        for (size_t i = 0; i < elements.size(); ++i) {
            const float real = static_cast<float>(elements[i]);
            const uint16_t half = half_from_double(elements[i]);
            if (kind == Kind::kReal) std::memcpy(start + i * 4, &real, 4);
            if (kind == Kind::kHalf) std::memcpy(start + i * 2, &half, 2);
            widened_.push_back(kind == Kind::kReal ? real : half_to_float(half));
        }
        view_.data = start;
    }

    const DescriptorView& view() const { return view_; }
    const std::vector<double>& widened() const { return widened_; }

  private:
    DescriptorView view_;
    std::vector<uint8_t> bytes_;
    std::vector<double> widened_;
};

/// Plain sums over double. `magnitude` is the sum of |a*b|, the scale of a dot product's error.
struct Reference {
    double dot = 0, magnitude = 0, l2_squared = 0, l1 = 0, a_squared = 0, b_squared = 0;

    Reference(const Value& a, const Value& b) {
        for (size_t i = 0; i < a.widened().size(); ++i) {
            const double x = a.widened()[i];
            const double y = b.widened()[i];
            dot += x * y;
            magnitude += std::fabs(x * y);
            l2_squared += (x - y) * (x - y);
            l1 += std::fabs(x - y);
            a_squared += x * x;
            b_squared += y * y;
        }
    }
    double cosine_distance() const { return 1 - dot / std::sqrt(a_squared) / std::sqrt(b_squared); }
};

/// Every function against the reference, in both orders of the arguments.
void expect_right(const Value& a, const Value& b) {
    const Reference right(a, b);
    const double relative = (static_cast<double>(a.widened().size()) / 4 + 4) * kFloatEpsilon;
    const auto& x = a.view();
    const auto& y = b.view();
    EXPECT_NEAR(l2_squared_distance(x, y), right.l2_squared, relative * right.l2_squared);
    EXPECT_NEAR(l2_distance(x, y), std::sqrt(right.l2_squared),
                relative * std::sqrt(right.l2_squared));
    EXPECT_NEAR(l1_distance(x, y), right.l1, relative * right.l1);
    EXPECT_NEAR(inner_product(x, y), right.dot, relative * right.magnitude);
    EXPECT_NEAR(norm(x), std::sqrt(right.a_squared), relative * std::sqrt(right.a_squared));
    if (right.a_squared > 0 && right.b_squared > 0) {
        EXPECT_NEAR(cosine_distance(x, y), right.cosine_distance(), 2 * relative);
        EXPECT_EQ(cosine_distance(x, x), 0);
        EXPECT_EQ(cosine_distance(x, y), cosine_distance(y, x));
    }
    EXPECT_EQ(l2_squared_distance(x, y), l2_squared_distance(y, x));
    EXPECT_EQ(l2_distance(x, y), l2_distance(y, x));
    EXPECT_EQ(l1_distance(x, y), l1_distance(y, x));
    EXPECT_EQ(inner_product(x, y), inner_product(y, x));
    EXPECT_EQ(l2_distance(x, x), 0);
    EXPECT_EQ(l1_distance(x, x), 0);
}

std::vector<double> random_elements(size_t dims, double scale, std::mt19937& random) {
    std::uniform_real_distribution<double> uniform(-scale, scale);
    std::vector<double> elements(dims);
    for (double& element : elements)
        element = uniform(random);
    return elements;
}

const std::vector<std::pair<Kind, Kind>> kPairs = {{Kind::kReal, Kind::kReal},
                                                   {Kind::kHalf, Kind::kHalf},
                                                   {Kind::kHalf, Kind::kReal},
                                                   {Kind::kReal, Kind::kHalf}};

std::vector<size_t> lengths_up_to(size_t all_until, std::vector<size_t> more) {
    std::vector<size_t> lengths;
    for (size_t length = 1; length <= all_until; ++length)
        lengths.push_back(length);
    lengths.insert(lengths.end(), more.begin(), more.end());
    return lengths;
}

/// Each test runs once for each instruction set that this machine has.
class Distance : public testing::TestWithParam<int64_t> {
  protected:
    void SetUp() override {
        hwy::SetSupportedTargetsForTest(GetParam());
        choose_kernels();
        ASSERT_STREQ(simd_target_name(), hwy::TargetName(GetParam()));
    }
    void TearDown() override {
        hwy::SetSupportedTargetsForTest(0);
        choose_kernels();
    }

    std::mt19937 random_{20240917};
};

INSTANTIATE_TEST_SUITE_P(Targets, Distance, testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& info) { return hwy::TargetName(info.param); });

TEST_P(Distance, AgreesWithDoubleForAllLengthsKindsAndAlignments) {
    size_t offset = 0;
    for (const size_t dims : lengths_up_to(300, {511, 512, 513, 768, 1000, 4099, 15999, 16000})) {
        for (const auto& [a_kind, b_kind] : kPairs) {
            SCOPED_TRACE(testing::Message()
                         << dims << " " << kind_name(a_kind) << " " << kind_name(b_kind));
            const Value a(a_kind, random_elements(dims, 2, random_), offset % 5);
            const Value b(b_kind, random_elements(dims, 2, random_), offset % 7);
            expect_right(a, b);
            if (HasFailure()) return;
            ++offset;
        }
    }
}

TEST_P(Distance, EveryElementCountsOnce) {
    for (const auto& [a_kind, b_kind] : kPairs) {
        for (size_t dims = 1; dims <= 140; ++dims) {
            const Value zero(b_kind, std::vector<double>(dims, 0.0));
            const Value one(b_kind, std::vector<double>(dims, 1.0));
            for (size_t position = 0; position < dims; ++position) {
                std::vector<double> elements(dims, 0.0);
                elements[position] = 3;
                const Value value(a_kind, elements);
                ASSERT_EQ(l2_squared_distance(value.view(), zero.view()), 9) << dims;
                ASSERT_EQ(l1_distance(value.view(), zero.view()), 3) << dims;
                ASSERT_EQ(inner_product(value.view(), one.view()), 3) << dims;
            }
        }
    }
}

TEST_P(Distance, EveryHalfIsWidenedExactly) {
    for (uint32_t bits = 0; bits < 0x7c00; ++bits) {
        const double value = half_to_float(static_cast<uint16_t>(bits));
        const Value half(Kind::kHalf, std::vector<double>(16, value));
        const Value real(Kind::kReal, std::vector<double>(16, value));
        const Value minus(Kind::kReal, std::vector<double>(16, -value));
        ASSERT_EQ(l1_distance(half.view(), real.view()), 0) << value;
        ASSERT_EQ(l1_distance(half.view(), minus.view()), 32 * value) << value;
    }
}

TEST_P(Distance, StaysRightAtTheEndsOfTheFloatRange) {
    const std::vector<double> scales = {1e-45, 1e-40, 1e-38, 1e-30, 1e-23, 1e-19,
                                        1e-15, 1e15,  1e19,  1e30,  3.4e38};
    for (const double a_scale : scales) {
        for (const double b_scale : scales) {
            for (const size_t dims : {1, 3, 17, 128, 300, 16000}) {
                SCOPED_TRACE(testing::Message() << a_scale << " " << b_scale << " " << dims);
                const Value a(Kind::kReal, random_elements(dims, a_scale, random_));
                const Value b(Kind::kReal, random_elements(dims, b_scale, random_));
                expect_right(a, b);
                if (HasFailure()) return;
            }
        }
    }
}

TEST_P(Distance, LargestValuesDoNotOverflow) {
    constexpr double kMax = std::numeric_limits<float>::max();
    const Value high(Kind::kReal, std::vector<double>(16000, kMax));
    const Value low(Kind::kReal, std::vector<double>(16000, -kMax));
    const double length = kMax * std::sqrt(16000);
    EXPECT_NEAR(l2_distance(high.view(), low.view()), 2 * length, 1e-12 * length);
    EXPECT_NEAR(l1_distance(high.view(), low.view()), 32000 * kMax, 1e-12 * 32000 * kMax);
    EXPECT_NEAR(inner_product(high.view(), low.view()), -length * length, 1e-12 * length * length);
    EXPECT_EQ(cosine_distance(high.view(), low.view()), 2);
    EXPECT_EQ(cosine_distance(high.view(), high.view()), 0);
    EXPECT_NEAR(norm(high.view()), length, 1e-12 * length);
}

TEST_P(Distance, SumsThatCancelToNaNInFloatAreRight) {
    // 1e38 squared is infinite in float, and infinity minus infinity is not a number.
    std::vector<double> elements(64, 1e38);
    const Value a(Kind::kReal, elements);
    for (size_t i = 0; i < elements.size(); i += 2)
        elements[i] = -1e38;
    elements[0] = 1e38;
    const Value b(Kind::kReal, elements);
    const double square = double{1e38f} * double{1e38f};
    EXPECT_DOUBLE_EQ(inner_product(a.view(), b.view()), 2 * square);
    EXPECT_NEAR(cosine_distance(a.view(), b.view()), 1 - 2.0 / 64, 1e-15);
}

TEST_P(Distance, SmallestDenormalsAreNotLost) {
    constexpr double kTiny = std::numeric_limits<float>::denorm_min();
    const Value tiny(Kind::kReal, std::vector<double>(100, kTiny));
    const Value zero(Kind::kReal, std::vector<double>(100, 0.0));
    EXPECT_DOUBLE_EQ(l2_distance(tiny.view(), zero.view()), 10 * kTiny);
    EXPECT_DOUBLE_EQ(norm(tiny.view()), 10 * kTiny);
    EXPECT_DOUBLE_EQ(l1_distance(tiny.view(), zero.view()), 100 * kTiny);
    EXPECT_EQ(cosine_distance(tiny.view(), tiny.view()), 0);
}

TEST_P(Distance, CosineWithoutDirectionIsNaN) {
    for (const auto& [a_kind, b_kind] : kPairs) {
        const Value zero(a_kind, std::vector<double>(20, 0.0));
        const Value one(b_kind, std::vector<double>(20, 1.0));
        EXPECT_TRUE(std::isnan(cosine_distance(zero.view(), one.view())));
        EXPECT_TRUE(std::isnan(cosine_distance(one.view(), zero.view())));
        EXPECT_TRUE(std::isnan(cosine_distance(zero.view(), zero.view())));
    }
}

TEST_P(Distance, CosineStaysInItsRange) {
    for (int round = 0; round < 2000; ++round) {
        const auto elements = random_elements(1 + round % 100, 1, random_);
        auto scaled = elements;
        for (double& element : scaled)
            element *= round % 2 == 0 ? 1.7 : -0.3;
        const Value a(Kind::kReal, elements);
        const Value b(Kind::kReal, scaled);
        const double distance = cosine_distance(a.view(), b.view());
        EXPECT_GE(distance, 0);
        EXPECT_LE(distance, 2);
        EXPECT_NEAR(distance, round % 2 == 0 ? 0 : 2, 1e-5);
    }
}

TEST_P(Distance, PlainFloatKernelsAgreeWithDouble) {
    for (size_t dims = 0; dims <= 300; ++dims) {
        const Value a(Kind::kReal, random_elements(dims, 1, random_), dims % 3);
        const Value b(Kind::kReal, random_elements(dims, 1, random_), dims % 2);
        const Reference right(a, b);
        const double relative = (static_cast<double>(dims) / 4 + 4) * kFloatEpsilon;
        EXPECT_NEAR(l2_squared(a.view().reals(), b.view().reals(), dims), right.l2_squared,
                    relative * right.l2_squared);
        EXPECT_NEAR(dot(a.view().reals(), b.view().reals(), dims), right.dot,
                    relative * right.magnitude);
    }
}

TEST_P(Distance, BitsAreCountedForAllLengthsAndAlignments) {
    for (const size_t dims : lengths_up_to(300, {511, 512, 1024, 4095, 8191, 63999, 64000})) {
        const size_t bytes = element_bytes(Kind::kBit, static_cast<uint32_t>(dims));
        // Ends with the data, as Value does.
        std::vector<uint8_t> a(dims % 9 + bytes);
        std::vector<uint8_t> b(dims % 5 + bytes);
        uint8_t* a_bits = a.data() + dims % 9;
        uint8_t* b_bits = b.data() + dims % 5;
        double differ = 0, both = 0, either = 0;
        for (size_t i = 0; i < dims; ++i) {
            const unsigned x = random_() % 3 == 0;
            const unsigned y = random_() % 2 == 0;
            a_bits[i / 8] |= x << (7 - i % 8);
            b_bits[i / 8] |= y << (7 - i % 8);
            differ += x ^ y;
            both += x & y;
            either += x | y;
        }
        const DescriptorView x{Kind::kBit, static_cast<uint32_t>(dims), a_bits};
        const DescriptorView y{Kind::kBit, static_cast<uint32_t>(dims), b_bits};
        ASSERT_EQ(hamming_distance(x, y), differ) << dims;
        ASSERT_EQ(hamming_distance(y, x), differ) << dims;
        ASSERT_EQ(hamming_distance(x, x), 0) << dims;
        ASSERT_EQ(jaccard_distance(x, y), both == 0 ? 1 : 1 - both / either) << dims;
        ASSERT_EQ(jaccard_distance(y, x), jaccard_distance(x, y)) << dims;
    }
}

TEST_P(Distance, AllBitsSetAndNoneSet) {
    for (uint32_t bytes = 1; bytes <= 8000; bytes += bytes < 300 ? 1 : 767) {
        const std::vector<uint8_t> full(bytes, 0xff);
        const std::vector<uint8_t> empty(bytes, 0);
        const DescriptorView ones{Kind::kBit, bytes * 8, full.data()};
        const DescriptorView zeros{Kind::kBit, bytes * 8, empty.data()};
        ASSERT_EQ(hamming_distance(ones, zeros), bytes * 8);
        ASSERT_EQ(jaccard_distance(ones, ones), 0);
        ASSERT_EQ(jaccard_distance(ones, zeros), 1);
        ASSERT_EQ(jaccard_distance(zeros, zeros), 1);
    }
}

}  // namespace
}  // namespace lookalike
