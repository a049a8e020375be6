#include "tools/load/csv.h"

#include <gtest/gtest.h>

#include <sstream>

namespace lookalike {
namespace {

using Fields = std::vector<std::optional<std::string>>;

std::vector<Fields> read_all(CsvReader& reader) {
    std::vector<Fields> records;
    for (Fields fields; reader.next(fields);)
        records.push_back(fields);
    return records;
}

TEST(Csv, QuotesHoldSeparatorsLinesAndQuotes) {
    std::istringstream in("file,\"title\"\r\na.jpg,\"one, \"\"two\"\"\nthree\"\r\n\r\nb.jpg,\n");
    CsvReader reader(in);
    EXPECT_EQ(reader.names(), (std::vector<std::string>{"file", "title"}));
    EXPECT_EQ(read_all(reader),
              (std::vector<Fields>{{"a.jpg", "one, \"two\"\nthree"}, {"b.jpg", std::nullopt}}));
}

TEST(Csv, EmptyInQuotesIsText) {
    std::istringstream in("a,b\n\"\",\n");
    CsvReader reader(in);
    EXPECT_EQ(read_all(reader), (std::vector<Fields>{{"", std::nullopt}}));
}

TEST(Csv, SemicolonsTabsAndAByteOrderMark) {
    std::istringstream semicolons(
        "\xef\xbb\xbf"
        "file;price\na.jpg;1,5");
    CsvReader by_semicolon(semicolons);
    EXPECT_EQ(by_semicolon.names()[0], "file");
    EXPECT_EQ(read_all(by_semicolon), (std::vector<Fields>{{"a.jpg", "1,5"}}));
    std::istringstream tabs("file\tprice\na.jpg\t1,5\n");
    CsvReader by_tab(tabs);
    EXPECT_EQ(read_all(by_tab), (std::vector<Fields>{{"a.jpg", "1,5"}}));
}

TEST(Csv, ErrorsNameTheLine) {
    const auto message = [](const char* text) -> std::string {
        try {
            std::istringstream in(text);
            CsvReader reader(in);
            read_all(reader);
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(message("a,b\n\"x\ny\",2\n3\n"), "line 4: 1 fields, but 2 names of columns");
    EXPECT_EQ(message("a,b\n1,\"x\n"), "line 2: a quote does not end");
    EXPECT_EQ(message(""), "line 1: no names of columns");
}

}  // namespace
}  // namespace lookalike
