#include "tools/gallery/groups.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

TEST(Groups, AreWhoeverAChainJoins) {
    const auto groups =
        groups_of({{"a", "b", 0.3}, {"x", "y", 0.1}, {"c", "d", 0.2}, {"b", "c", 0.25}});
    ASSERT_EQ(groups.size(), 2u);
    EXPECT_EQ(groups[0].members, (std::vector<std::string>{"a", "b", "c", "d"}));
    EXPECT_EQ(groups[0].nearest, 0.2);
    EXPECT_EQ(groups[1].members, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(groups[1].nearest, 0.1);
}

TEST(Groups, OfEqualSizeComeTheNearestFirst) {
    const auto groups = groups_of({{"a", "b", 0.3}, {"c", "d", 0.1}, {"e", "f", 0.2}});
    ASSERT_EQ(groups.size(), 3u);
    EXPECT_EQ(groups[0].members[0], "c");
    EXPECT_EQ(groups[1].members[0], "e");
    EXPECT_EQ(groups[2].members[0], "a");
}

TEST(Groups, OfNothingAreNone) {
    EXPECT_TRUE(groups_of({}).empty());
}

}  // namespace
}  // namespace lookalike
