#include "tools/picture_table/extractor_call.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

void expect_call(const std::string& expression, const std::string& photo,
                 const std::string& extractor) {
    const ExtractorCall call = extractor_call(expression);
    EXPECT_EQ(call.photo, photo) << expression;
    EXPECT_EQ(call.extractor, extractor) << expression;
}

TEST(ExtractorCall, IsFoundInGeneratedExpressions) {
    expect_call("image_features(photo)", "photo", "color+pattern");
    expect_call("image_features(photo, 'color'::text)", "photo", "color");
    expect_call("aside.image_features_or_null(photo, 'net:clip@1'::text)", "photo", "net:clip@1");
    expect_call("(image_features(photo, 'color:0.6+pattern:0.4'::text))::descriptor(559,half)",
                "photo", "color:0.6+pattern:0.4");
    expect_call("image_local_features(photo)", "photo", "orb");
    expect_call("image_local_features_or_null(photo, 'sift'::text, 300)", "photo", "sift");
}

TEST(ExtractorCall, TakesQuotedNames) {
    expect_call("image_features(\"my \"\"photo\"\"\", 'it''s'::text)", "my \"photo\"", "it's");
}

TEST(ExtractorCall, KnowsNothingOfOtherExpressions) {
    expect_call("l2_normalize(features)", "", "");
    expect_call("my_image_features(photo)", "", "");
    expect_call("image_features(decode(photo, 'base64'::text))", "", "");
    expect_call("", "", "");
}

}  // namespace
}  // namespace lookalike
