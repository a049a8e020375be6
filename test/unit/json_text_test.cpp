#include "tools/json_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace lookalike {
namespace {

TEST(JsonText, EscapesWhatEndsATextOrAScript) {
    EXPECT_EQ(json_text("a\"b\\c\nd\x01"), "\"a\\\"b\\\\c\\nd\\u0001\"");
    EXPECT_EQ(json_text("</script>"), "\"\\u003c/script>\"");
    EXPECT_EQ(json_text("\xe2\x80\xa8"), "\"\\u2028\"");
}

TEST(JsonText, KeepsUtf8AndReplacesWhatIsNone) {
    EXPECT_EQ(json_text("\xc3\xa4"), "\"\xc3\xa4\"");
    EXPECT_EQ(json_text("a\xff"), "\"a\xef\xbf\xbd\"");
}

TEST(JsonNumber, IsShortOrNull) {
    EXPECT_EQ(json_number(0.1), "0.1");
    EXPECT_EQ(json_number(std::nullopt), "null");
    EXPECT_EQ(json_number(std::numeric_limits<double>::infinity()), "null");
}

}  // namespace
}  // namespace lookalike
