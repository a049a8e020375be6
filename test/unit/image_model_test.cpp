#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "image/image.h"
#include "image/model_store.h"
#include "image_onnx_sample.h"
#include "image_samples.h"
#include "onnx_builder.h"

namespace lookalike {
namespace {

constexpr ImageLimits kLimits{.max_pixels = 1'000'000};
constexpr int kSide = 8;

// Red, green, blue and their sum.
const std::vector<float> kColourSums{1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1};

ModelConfig config() {
    return {.input_width = kSide,
            .input_height = kSide,
            .mean = {0, 0, 0},
            .std = {1, 1, 1},
            .bgr = false,
            .layer = "",
            .normalize = false};
}

ModelStore store(uint64_t budget_bytes = 1 << 30) {
    return ModelStore(make_opencv_engine(), budget_bytes);
}

FileBytes plain(int red, int green, int blue) {
    return encoded(cv::Mat(20, 30, CV_8UC3, cv::Scalar(blue, green, red)), ".png");
}

std::vector<float> reals(const Features& features) {
    std::vector<float> out(features.dims);
    std::memcpy(out.data(), features.elements.data(), features.elements.size());
    return out;
}

std::vector<float> extracted(ModelStore& models, const FileBytes& image, const char* spec) {
    return reals(extract_features(image, parse_extractor_spec(spec), kLimits, &models));
}

void expect_near(const std::vector<float>& actual, const std::vector<float>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
        EXPECT_NEAR(actual[i], expected[i], 1e-3) << i;
    }
}

ImageFault fault_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const ImageError& error) {
        return error.fault;
    }
    ADD_FAILURE() << "no error";
    return ImageFault::kUnreadable;
}

TEST(ImageModel, GivesWhatTheNetworkComputes) {
    ModelStore models = store();
    const LoadedModel& model =
        models.load("sums@1", averaging_network(kColourSums, kSide), config());
    EXPECT_EQ(model.network->dims(), 4u);
    EXPECT_GT(model.network->memory_bytes(), 0u);
    expect_near(extracted(models, plain(10, 20, 30), "net:sums@1"), {10, 20, 30, 60});
    expect_near(extracted(models, plain(10, 20, 30), "net:sums@1:4"), {20, 40, 60, 120});
}

TEST(ImageModel, InputIsPreparedAsConfigured) {
    ModelStore models = store();
    ModelConfig changed = config();
    changed.mean = {10, 0, 0};
    changed.std = {2, 5, 10};
    models.load("scaled@1", averaging_network(kColourSums, kSide), changed);
    expect_near(extracted(models, plain(50, 20, 30), "net:scaled@1"), {20, 4, 3, 27});
    changed.bgr = true;
    models.load("scaled@2", averaging_network(kColourSums, kSide), changed);
    expect_near(extracted(models, plain(50, 20, 30), "net:scaled@2"), {10, 4, 5, 19});
    changed = config();
    changed.normalize = true;
    models.load("unit@1", averaging_network(kColourSums, kSide), changed);
    expect_near(extracted(models, plain(20, 0, 0), "net:unit@1"),
                {std::sqrt(0.5f), 0, 0, std::sqrt(0.5f)});
    expect_near(extracted(models, plain(0, 0, 0), "net:unit@1"), {0, 0, 0, 0});
    changed = config();
    changed.layer = "averages";
    models.load("layer@1", averaging_network(kColourSums, kSide), changed);
    expect_near(extracted(models, plain(1, 2, 3), "net:layer@1"), {1, 2, 3, 6});
}

TEST(ImageModel, BatchesGiveTheSame) {
    ModelStore models = store();
    models.load("sums@1", averaging_network(kColourSums, kSide), config());
    std::vector<FileBytes> files;
    for (int i = 0; i < 40; ++i) {
        files.push_back(plain(i, 2 * i, 200 - i));
    }
    const std::vector<std::span<const uint8_t>> images(files.begin(), files.end());
    const ExtractorSpec spec = parse_extractor_spec("color+net:sums@1:0.25");
    const auto batch = extract_features_batch(images, spec, kLimits, &models);
    ASSERT_EQ(batch.size(), files.size());
    for (size_t i = 0; i < files.size(); ++i) {
        const Features one = extract_features(files[i], spec, kLimits, &models);
        EXPECT_EQ(batch[i].elements, one.elements) << i;
        EXPECT_NEAR(reals(one)[one.dims - 4], i / 2.0, 1e-3);
    }
}

TEST(ImageModel, TheLeastRecentlyUsedGoes) {
    const FileBytes onnx = averaging_network(kColourSums, kSide);
    ModelStore measure = store();
    measure.load("a@1", onnx, config());
    ModelStore models = store(2 * measure.memory_bytes());
    models.load("a@1", onnx, config());
    models.load("b@1", onnx, config());
    EXPECT_NE(models.find("a@1"), nullptr);
    models.load("c@1", onnx, config());
    EXPECT_EQ(models.find("b@1"), nullptr);
    EXPECT_NE(models.find("a@1"), nullptr);
    models.load("a@1", onnx, config());
    EXPECT_EQ(models.models().size(), 2u);
    models.drop("a@1");
    EXPECT_EQ(models.find("a@1"), nullptr);
    ModelStore small = store(1);
    small.load("a@1", onnx, config());
    EXPECT_NE(small.find("a@1"), nullptr);
}

TEST(ImageModel, StoresShareANetwork) {
    ModelStore models = store();
    {
        ModelStore first = store();
        first.load("digest", averaging_network(kColourSums, kSide), config());
        models.load("sums@1", averaging_network(kColourSums, kSide), config());
        EXPECT_NE(models.find("sums@1")->network, first.find("digest")->network);
        models.share("sums@1", *first.find("digest"));
        EXPECT_EQ(models.find("sums@1")->network, first.find("digest")->network);
        EXPECT_EQ(models.models().size(), 1u);
    }
    expect_near(extracted(models, plain(10, 20, 30), "net:sums@1"), {10, 20, 30, 60});
}

TEST(ImageModel, WhatCannotRunIsAnError) {
    ModelStore models = store();
    const FileBytes onnx = averaging_network(kColourSums, kSide);
    const auto load = [&](const FileBytes& file, const ModelConfig& changed) {
        return fault_of([&] { models.load("x@1", file, changed); });
    };
    EXPECT_EQ(load({}, config()), ImageFault::kModel);
    EXPECT_EQ(load(FileBytes(100, 'x'), config()), ImageFault::kModel);
    EXPECT_EQ(load(FileBytes(onnx.begin(), onnx.begin() + onnx.size() / 2), config()),
              ImageFault::kModel);
    ModelConfig changed = config();
    changed.layer = "nowhere";
    EXPECT_EQ(load(onnx, changed), ImageFault::kModel);
    changed = config();
    changed.std[1] = 0;
    EXPECT_EQ(load(onnx, changed), ImageFault::kModel);
    changed = config();
    changed.input_width = 0;
    EXPECT_EQ(load(onnx, changed), ImageFault::kModel);
    EXPECT_EQ(models.find("x@1"), nullptr);

    models.load("nan@1", averaging_network({NAN, 0, 0}, kSide), config());
    EXPECT_EQ(fault_of([&] { extracted(models, plain(1, 2, 3), "net:nan@1"); }),
              ImageFault::kModel);
    EXPECT_EQ(fault_of([&] { extracted(models, plain(1, 2, 3), "net:other@1"); }),
              ImageFault::kModel);
    EXPECT_EQ(fault_of([&] {
                  extract_features(plain(1, 2, 3), parse_extractor_spec("net:nan@1"), kLimits,
                                   nullptr);
              }),
              ImageFault::kModel);
}

/// Of pictures of 3 x 1 pixels, which are seen as a row for each channel.
OnnxBuilder rows_of_channels(int opset) {
    OnnxBuilder builder(opset);
    builder.input("picture", {1, 3, 1, 3}, true).integers("shape", {3}, {1, 3, 3});
    builder.node("Reshape", {"picture", "shape"}, {"rows"}).floats("scale", {3}, {1, 10, 100});
    return builder;
}

std::vector<float> by_engine(std::unique_ptr<Engine> engine, const OnnxBuilder& builder) {
    ModelStore models(std::move(engine), 1 << 30);
    ModelConfig changed = config();
    changed.input_width = 3;
    changed.input_height = 1;
    const std::string file = builder.file();
    models.load("rows@1", {reinterpret_cast<const uint8_t*>(file.data()), file.size()}, changed);
    return extracted(models, plain(10, 20, 30), "net:rows@1");
}

TEST(ImageModel, CropsToTheMiddle) {
    ModelStore models = store();
    ModelConfig changed = config();
    changed.crop = true;
    models.load("middle@1", averaging_network(kColourSums, kSide), changed);
    models.load("whole@1", averaging_network(kColourSums, kSide), config());
    // Red, green, red: from left to right, and from top to bottom.
    cv::Mat wide(24, 72, CV_8UC3, cv::Scalar(0, 0, 90));
    wide.colRange(24, 48).setTo(cv::Scalar(0, 90, 0));
    const FileBytes across = encoded(wide, ".png"), down = encoded(wide.t(), ".png");
    for (const FileBytes& file : {across, down}) {
        expect_near(extracted(models, file, "net:middle@1"), {0, 90, 0, 90});
        expect_near(extracted(models, file, "net:whole@1"), {60, 30, 0, 90});
    }
}

// OpenCV 4.6 gives other numbers for these, and no error.
TEST(ImageModel, RowsAndConstantsMeetWhereBothSizesAreEqual) {
    const auto computed = [](const char* type, const OnnxBuilder::Names& inputs) {
        OnnxBuilder builder = rows_of_channels(11);
        builder.floats("row", {1, 3}, {1, 10, 100});
        return by_engine(make_engine(), builder.node(type, inputs, {"out"}).output("out"));
    };
    expect_near(computed("Mul", {"rows", "scale"}), {10, 100, 1000, 20, 200, 2000, 30, 300, 3000});
    expect_near(computed("Mul", {"row", "rows"}), {10, 100, 1000, 20, 200, 2000, 30, 300, 3000});
    expect_near(computed("Div", {"rows", "scale"}), {10, 1, 0.1f, 20, 2, 0.2f, 30, 3, 0.3f});
    expect_near(computed("Div", {"scale", "rows"}),
                {0.1f, 1, 10, 0.05f, 0.5f, 5, 1 / 30.0f, 1 / 3.0f, 10 / 3.0f});
    expect_near(computed("Add", {"rows", "row"}), {11, 20, 110, 21, 30, 120, 31, 40, 130});
    expect_near(computed("Sub", {"row", "rows"}), {-9, 0, 90, -19, -10, 80, -29, -20, 70});
    expect_near(computed("Add", {"rows", "scale"}), {11, 20, 110, 21, 30, 120, 31, 40, 130});
}

TEST(ImageModel, WhatOpencvDoesNotLoadRunsByItself) {
    OnnxBuilder builder = rows_of_channels(17);
    builder.floats("zero", {3}, {7, 8, 9});
    builder.node("LayerNormalization", {"rows", "scale", "zero"}, {"out"});
    builder.output("out", {1, 3, 3});
    EXPECT_THROW(by_engine(make_opencv_engine(), builder), ImageError);
    expect_near(by_engine(make_engine(), builder), {7, 8, 9, 7, 8, 9, 7, 8, 9});
}

TEST(ImageModel, ARefusalNamesTheNode) {
    OnnxBuilder builder = rows_of_channels(13);
    builder.node("Frobnicate", {"rows"}, {"out"}).output("out", {1, 3, 3});
    try {
        by_engine(make_engine(), builder);
        FAIL() << "no error";
    } catch (const ImageError& error) {
        EXPECT_EQ(error.fault, ImageFault::kModel);
        EXPECT_NE(std::string(error.what()).find("node \"/out\" (Frobnicate)"), std::string::npos);
    }
}

TEST(ImageModel, RealNetworksRun) {
    const char* folder = std::getenv("LOOKALIKE_MODELS");
    const FileBytes onnx = folder == nullptr
                               ? FileBytes{}
                               : file_bytes(std::string(folder) + "/mobilenet_v2_1.0_224.onnx");
    if (onnx.empty()) GTEST_SKIP() << "LOOKALIKE_MODELS names no folder with MobileNetV2";
    ModelStore models = store();
    ModelConfig changed = config();
    changed.input_width = changed.input_height = 224;
    changed.mean = changed.std = {127.5, 127.5, 127.5};
    changed.layer = "features";
    changed.normalize = true;
    EXPECT_EQ(models.load("mobilenet@2", onnx, changed).network->dims(), 1280u);
    const FileBytes red = plain(200, 20, 30), blue = plain(20, 30, 200);
    const ExtractorSpec spec = parse_extractor_spec("net:mobilenet@2");
    const std::vector<std::span<const uint8_t>> images{red, blue, red};
    const auto features = extract_features_batch(images, spec, kLimits, &models);
    EXPECT_EQ(features[0].elements, features[2].elements);
    EXPECT_NE(features[0].elements, features[1].elements);
}

}  // namespace
}  // namespace lookalike
