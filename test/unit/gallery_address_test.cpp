#include "tools/gallery/address.h"

#include <gtest/gtest.h>

namespace lookalike {
namespace {

TEST(GalleryAddress, IsParsed) {
    EXPECT_EQ(authority(parse_address("127.0.0.1:8080").value()), "127.0.0.1:8080");
    EXPECT_EQ(authority(parse_address("8080").value()), "127.0.0.1:8080");
    EXPECT_EQ(authority(parse_address("[::1]:80").value()), "[::1]:80");
    EXPECT_EQ(authority(parse_address("Shop.Example:80").value()), "shop.example:80");
    for (const char* text : {"", "a", ":80", "a:", "a:b", "a:70000", "a:-1", "::1:80", "[]:80"})
        EXPECT_FALSE(parse_address(text)) << text;
}

TEST(GalleryAddress, OnLoopbackTakesNamesOfLoopbackAlone) {
    const AllowedHosts hosts({"127.0.0.1", 8080}, {});
    for (const char* host : {"127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080"})
        EXPECT_TRUE(hosts.allows(host)) << host;
    for (const char* host :
         {"", "evil.example:8080", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:8080",
          "127.0.0.1.evil.example:8080", "127.evil:8080", "192.168.1.5:8080", "localhost:8080:80"})
        EXPECT_FALSE(hosts.allows(host)) << host;
}

TEST(GalleryAddress, ElsewhereTakesNumbersAndGivenNames) {
    const AllowedHosts hosts({"0.0.0.0", 8080}, {"Shop.example"});
    for (const char* host : {"192.168.1.5:8080", "localhost:8080", "shop.example",
                             "shop.example:443", "[fe80::1]:8080"})
        EXPECT_TRUE(hosts.allows(host)) << host;
    for (const char* host : {"evil.example:8080", "evil.shop.example", "192.168.1.5:80"})
        EXPECT_FALSE(hosts.allows(host)) << host;
}

TEST(GalleryAddress, OriginIsThatOfTheHost) {
    const AllowedHosts hosts({"127.0.0.1", 8080}, {});
    EXPECT_TRUE(hosts.is_own("http://localhost:8080", "localhost:8080"));
    EXPECT_TRUE(hosts.is_own("https://localhost:8080", "localhost:8080"));
    for (const char* origin : {"", "null", "http://evil.example", "http://localhost:8081",
                               "http://localhost:8080.evil.example", "ftp://localhost:8080"})
        EXPECT_FALSE(hosts.is_own(origin, "localhost:8080")) << origin;
}

}  // namespace
}  // namespace lookalike
