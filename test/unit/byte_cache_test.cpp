#include "tools/gallery/byte_cache.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

TEST(ByteCache, KeepsWhatWasAskedForLately) {
    ByteCache cache(3 * (1000 + 2 + 256));
    for (const char* key : {"a", "b", "c"})
        cache.keep(key, std::string(1000, *key));
    EXPECT_TRUE(cache.find("a"));
    cache.keep("d", std::string(1000, 'd'));
    EXPECT_FALSE(cache.find("b"));
    for (const char* key : {"a", "c", "d"})
        EXPECT_EQ(*cache.find(key), std::string(1000, *key)) << key;
}

TEST(ByteCache, ReplacesAndCountsOnce) {
    ByteCache cache(2 * (1000 + 2 + 256));
    for (int i = 0; i < 10; ++i)
        cache.keep("a", std::string(1000, static_cast<char>('0' + i)));
    cache.keep("b", std::string(1000, 'b'));
    EXPECT_EQ((*cache.find("a"))[0], '9');
    EXPECT_TRUE(cache.find("b"));
}

TEST(ByteCache, GivesButDoesNotKeepWhatIsTooLarge) {
    ByteCache cache(1000);
    cache.keep("a", "small");
    EXPECT_EQ(cache.keep("b", std::string(2000, 'b'))->size(), 2000u);
    EXPECT_FALSE(cache.find("b"));
    EXPECT_TRUE(cache.find("a"));
}

TEST(ByteCache, WhatIsInUseStays) {
    ByteCache cache(1000);
    const auto held = cache.keep("a", "value");
    cache.keep("b", std::string(700, 'b'));
    EXPECT_FALSE(cache.find("a"));
    EXPECT_EQ(*held, "value");
}

}  // namespace
}  // namespace lookalike
