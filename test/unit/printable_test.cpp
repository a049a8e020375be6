#include "tools/printable.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

TEST(Printable, LeavesTextAlone) {
    EXPECT_EQ(printable("a <b> 'c' \\ caf\xc3\xa9 \xf0\x9f\x91\x97"),
              "a <b> 'c' \\ caf\xc3\xa9 \xf0\x9f\x91\x97");
}

TEST(Printable, ShowsWhatTerminalsObey) {
    EXPECT_EQ(printable("\x1b[2J\n\x7f"), "\\x1b[2J\\x0a\\x7f");
    EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");           // CSI of eight bits
    EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // turns the line round
}

TEST(Printable, ShowsWhatIsNoUtf8) {
    EXPECT_EQ(printable("a\xff"), "a\\xff");
    EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");           // too long
    EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // half of a pair
    EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");           // cut
}

}  // namespace
}  // namespace lookalike
