#include "tools/load/column_type.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lookalike {
namespace {

std::string guess(const std::vector<std::string>& values,
                  ValueSource source = ValueSource::kPlain) {
    ColumnTypeGuess guess;
    for (const auto& value : values)
        guess.add(value, source);
    return guess.type();
}

TEST(ColumnType, EachType) {
    EXPECT_EQ(guess({}), "text");
    EXPECT_EQ(guess({"true", "false"}), "boolean");
    EXPECT_EQ(guess({"0", "-12", "9223372036854775807"}), "bigint");
    EXPECT_EQ(guess({"1", "2.5", "1e-3"}), "double precision");
    EXPECT_EQ(guess({"2024-02-29", "1999-12-31"}), "date");
    EXPECT_EQ(guess({"2024-02-29 23:59", "2024-02-29T00:00:01.25"}), "timestamp");
    EXPECT_EQ(guess({"2024-02-29T00:00:01Z", "2024-02-29 00:00:01+05:30"}),
              "timestamp with time zone");
    EXPECT_EQ(guess({"[1]", "{}"}, ValueSource::kNested), "jsonb");
}

TEST(ColumnType, WhatOnlyLooksLikeANumberStaysText) {
    for (const char* value : {"007", "-01", "00.5", "nan", "infinity", "1,5", " 1", "1 ", "0x10",
                              "", "9223372036854775808x"})
        EXPECT_EQ(guess({"1", value}), "text") << value;
    EXPECT_EQ(guess({"9223372036854775808"}), "double precision");
    EXPECT_EQ(guess({"1", "2"}, ValueSource::kQuoted), "text");
}

TEST(ColumnType, WhatIsNoDayOrTimeStaysText) {
    for (const char* value :
         {"2023-02-29", "2024-13-01", "24-01-01", "2024/01/01", "2024-01-01 24:00",
          "2024-01-01 10:00:60", "2024-01-01 10:00.", "2024-01-01 10:00+99"})
        EXPECT_EQ(guess({value}), "text") << value;
    EXPECT_EQ(guess({"2024-01-01", "2024-01-01 10:00"}), "text");
}

TEST(ColumnType, NestedAndPlainAreText) {
    ColumnTypeGuess guess;
    guess.add("[1]", ValueSource::kNested);
    guess.add("x", ValueSource::kQuoted);
    EXPECT_STREQ(guess.type(), "text");
}

}  // namespace
}  // namespace lookalike
