#include "network/text_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "onnx_builder.h"

namespace lookalike {
namespace {

using Floats = std::vector<float>;

constexpr int64_t kContext = 6;
constexpr char kVocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nblue\nrose\n";
constexpr int64_t kTokens = 6;

/// Each token's row is (its number, 1).
OnnxBuilder look_up() {
    Floats table;
    for (int64_t i = 0; i < kTokens; ++i) {
        table.push_back(static_cast<float>(i));
        table.push_back(1);
    }
    OnnxBuilder builder;
    builder.input("input_ids", {1, kContext}, false).floats("table", {kTokens, 2}, table);
    builder.node("Gather", {"table", "input_ids"}, {"rows"});
    return builder;
}

TextConfig config(Pooling pooling, bool normalize = false) {
    return {.tokenizer = TokenizerKind::kWordPiece,
            .lower_case = true,
            .context = kContext,
            .pooling = pooling,
            .layer = "",
            .normalize = normalize};
}

Floats features(const OnnxBuilder& builder, const TextConfig& config, const char* text) {
    return TextModel(builder.file(), kVocabulary, config).features(text);
}

std::string error_of(const OnnxBuilder& builder, const TextConfig& config) {
    try {
        TextModel(builder.file(), kVocabulary, config);
    } catch (const NetworkError& error) {
        return error.what();
    }
    return "";
}

TEST(TextModel, TakesTheRowThatItIsAskedFor) {
    const OnnxBuilder rows = look_up().output("rows");
    EXPECT_EQ(features(rows, config(Pooling::kEnd), "blue rose"), (Floats{3, 1}));
    EXPECT_EQ(features(rows, config(Pooling::kFirst), "blue rose"), (Floats{2, 1}));
    EXPECT_EQ(features(rows, config(Pooling::kMean), "Blue ROSE"), (Floats{14 / 4.0f, 1}));
    const Floats unit = features(rows, config(Pooling::kEnd, true), "rose");
    EXPECT_NEAR(std::hypot(unit[0], unit[1]), 1, 1e-6);
    EXPECT_EQ(TextModel(rows.file(), kVocabulary, config(Pooling::kEnd)).dims(), 2u);
}

TEST(TextModel, GivesEachInputWhatItsNameSays) {
    OnnxBuilder sums = look_up();
    sums.input("attention_mask", {1, kContext}, false);
    sums.input("token_type_ids", {1, kContext}, false);
    sums.input("position_ids", {1, 0}, false);
    const auto sum = [&](const char* name, const char* output) {
        sums.with("to", 1).node("Cast", {name}, {std::string(output) + "_reals"});
        sums.integers(std::string(output) + "_axis", {1}, {1});
        sums.with("keepdims", 1);
        sums.node("ReduceSum", {std::string(output) + "_reals", std::string(output) + "_axis"},
                  {output});
    };
    sum("attention_mask", "mask");
    sum("token_type_ids", "types");
    sum("position_ids", "places");
    sums.with("axis", 1).node("Concat", {"mask", "types", "places"}, {"text_embed"});
    sums.output("rows").output("text_embed");
    EXPECT_EQ(features(sums, config(Pooling::kEnd), "blue"), (Floats{3, 0, 15}));
    TextConfig other = config(Pooling::kFirst);
    other.layer = "rows";
    EXPECT_EQ(features(sums, other, "blue"), (Floats{2, 1}));
}

TEST(TextModel, RefusesNetworksThatDoNotFit) {
    const OnnxBuilder rows = look_up().output("rows");
    TextConfig wide = config(Pooling::kEnd);
    wide.context = 8;
    EXPECT_NE(error_of(rows, wide).find("does not take 1 x 8 whole numbers"), std::string::npos);
    const OnnxBuilder two = look_up().input("other", {1, kContext}, false).output("rows");
    EXPECT_NE(error_of(two, config(Pooling::kEnd)).find("2 inputs that may be tokens"),
              std::string::npos);
    // The vocabulary has a token more than the table.
    OnnxBuilder small;
    small.input("ids", {1, kContext}, false).floats("table", {5, 1}, {1, 2, 3, 4, 5});
    small.node("Gather", {"table", "ids"}, {"rows"}).output("rows");
    EXPECT_NE(error_of(small, config(Pooling::kEnd)).find("an index of 5 lies outside of 5"),
              std::string::npos);
    OnnxBuilder infinite;
    infinite.input("ids", {1, kContext}, false).floats("zero", {1}, {0});
    infinite.with("to", 1).node("Cast", {"ids"}, {"x"}).node("Div", {"x", "zero"}, {"rows"});
    EXPECT_NE(error_of(infinite.output("rows"), config(Pooling::kEnd)).find("not finite"),
              std::string::npos);
}

}  // namespace
}  // namespace lookalike
