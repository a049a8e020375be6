#include <gtest/gtest.h>

#include "core/text/caption.h"
#include "core/text/clip_tokenizer.h"
#include "core/text/unicode.h"
#include "core/text/wordpiece_tokenizer.h"

namespace lookalike {
namespace {

using Ids = std::vector<int64_t>;
using Words = std::vector<std::string>;

// a c t . become "ca", "cat</w>" and so on.
constexpr char kMerges[] = "#version: 0.2\nc a\nca t</w>\nd o\ndo g</w>\n";
constexpr int64_t kA = 'a' - '!', kEnd = 256;
constexpr int64_t kCat = 512 + 1, kDog = 512 + 3, kStartToken = 512 + 4, kEndToken = 512 + 5;

constexpr char kVocabulary[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\nblue\nflower\n##s\n!\nnaive\n\xE8\x8A\xB1\n##ower\nfl\n";

std::string error_of(TokenizerKind kind, std::string_view file) {
    try {
        make_tokenizer(kind, file, true);
    } catch (const TokenizerError& error) {
        return error.what();
    }
    return "";
}

TEST(Unicode, DecodesAndEncodes) {
    const std::string text = "a\xC3\xA9\xE8\x8A\xB1\xF0\x9F\x98\x80";
    EXPECT_EQ(decode_utf8(text), U"a\u00E9\u82B1\U0001F600");
    EXPECT_EQ(encode_utf8(decode_utf8(text)), text);
    // A lone follower, one that is missing, an overlong zero, a surrogate, beyond the end.
    EXPECT_EQ(decode_utf8("\x80z"), U"\uFFFDz");
    EXPECT_EQ(decode_utf8("\xC3z"), U"\uFFFDz");
    EXPECT_EQ(decode_utf8("\xC0\x80"), U"\uFFFD\uFFFD");
    EXPECT_EQ(decode_utf8("\xED\xA0\x80"), U"\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(decode_utf8("\xF4\x90\x80\x80"), U"\uFFFD\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(decode_utf8("\xF0\x9F"), U"\uFFFD\uFFFD");
}

TEST(Unicode, LowersAndTakesMarksAway) {
    EXPECT_EQ(lower_case(U"ÄÖÉ ЖΩ AZ\u0100\u0130"), U"äöé жω az\u0101i\u0307");
    EXPECT_EQ(lower_case(U"ΟΔΟΣ ΣΑΣ"), U"οδος σας");
    EXPECT_EQ(without_marks(U"äéñ e\u0301 й ά 花"), U"aen e и α 花");
    EXPECT_EQ(without_marks(U"각가"), U"\u1100\u1161\u11A8\u1100\u1161");
    EXPECT_TRUE(is_letter(U'花') && is_letter(U'ß') && !is_letter(U'1') && !is_letter(0x110000));
    EXPECT_TRUE(is_number(U'²') && is_space(0x3000) && is_punctuation(U'«') && is_mark(0x301));
    EXPECT_TRUE(is_control(0x200B) && !is_punctuation(U'$'));
}

TEST(Caption, IsCleaned) {
    EXPECT_EQ(clean_caption("  a \t\n b\xC2\xA0 "), U"a b");
    EXPECT_EQ(clean_caption("&amp;lt; &#65;&#x42; &nothing; &#xD800; &"),
              U"< AB &nothing; &#xD800; &");
    EXPECT_EQ(clean_caption("\u2018x\u2019 \u201Cy\u201D \uFF21 \uFB01"), U"'x' \"y\" A fi");
    EXPECT_EQ(clean_caption(std::string_view("a\0b\x7F", 4)), U"ab");
    EXPECT_EQ(clean_caption(" \n "), U"");
}

TEST(ClipTokenizer, SplitsAsClip) {
    EXPECT_EQ(split_caption(U"it's 42 cats!? <|endoftext|>x"),
              (Words{"it", "'s", "4", "2", "cats", "!?", "<|endoftext|>", "x"}));
    EXPECT_EQ(split_caption(U"don'tx"), (Words{"don", "'t", "x"}));
    EXPECT_EQ(split_caption(U""), Words{});
}

TEST(ClipTokenizer, MergesPairsInTheirOrder) {
    const ClipTokenizer tokenizer(kMerges, true);
    EXPECT_EQ(tokenizer.vocabulary_size(), 518u);
    const Tokens tokens = tokenizer.encode("Cat dog a", 8);
    EXPECT_EQ(tokens.ids, (Ids{kStartToken, kCat, kDog, kA + kEnd, kEndToken, 0, 0, 0}));
    EXPECT_EQ(tokens.length, 5u);
    EXPECT_EQ(tokenizer.encode("", 4).ids, (Ids{kStartToken, kEndToken, 0, 0}));
    // Cut, with the end at its end.
    EXPECT_EQ(tokenizer.encode("cat dog cat dog", 4).ids,
              (Ids{kStartToken, kCat, kDog, kEndToken}));
    EXPECT_EQ(tokenizer.encode("<|endoftext|>", 4).ids,
              (Ids{kStartToken, kEndToken, kEndToken, 0}));
    // "cata": the last letter has no end of a word before it.
    EXPECT_EQ(tokenizer.encode("cata", 8).ids[1], 512);
    EXPECT_NE(ClipTokenizer(kMerges, false).encode("Cat", 4).ids, tokenizer.encode("Cat", 4).ids);
}

TEST(ClipTokenizer, LongWordsTakeLittleTime) {
    const ClipTokenizer tokenizer("a a\naa aa\naaaa aaaa\n", true);
    const Tokens tokens = tokenizer.encode(std::string(kMaxTextBytes, 'a'), 77);
    EXPECT_EQ(tokens.length, 77u);
    EXPECT_EQ(tokens.ids[1], 514);
}

TEST(ClipTokenizer, RefusesOtherFiles) {
    const auto error = [](std::string_view file) { return error_of(TokenizerKind::kClip, file); };
    EXPECT_EQ(error(""), "");
    EXPECT_NE(error("a b\nx").find("line 2"), std::string::npos);
    EXPECT_NE(error("a b c\n").find("two parts"), std::string::npos);
    EXPECT_NE(error("a bc\n").find("neither a byte"), std::string::npos);
    EXPECT_NE(error("\xFF\xFE a\n").find("neither a byte"), std::string::npos);
    EXPECT_NE(error("\x1f\x8b\x08").find("compressed"), std::string::npos);
    std::string many;
    for (int i = 0; i < 1'000'000; ++i)
        many += "a b\n";
    EXPECT_NE(error(many).find("too many lines"), std::string::npos);
    EXPECT_NE(error(std::string(kMaxTokenizerBytes + 1, 'a')).find("too large"), std::string::npos);
}

TEST(WordPieceTokenizer, TakesTheLongestPieces) {
    const WordPieceTokenizer tokenizer(kVocabulary, true);
    EXPECT_EQ(tokenizer.vocabulary_size(), 12u);
    const Tokens tokens = tokenizer.encode("Blue  Flowers!", 8);
    EXPECT_EQ(tokens.ids, (Ids{2, 4, 5, 6, 7, 3, 0, 0}));
    EXPECT_EQ(tokens.length, 6u);
    EXPECT_EQ(tokenizer.encode("naïve 花blue", 8).ids, (Ids{2, 8, 9, 4, 3, 0, 0, 0}));
    EXPECT_EQ(tokenizer.encode("bluex red", 8).ids, (Ids{2, 1, 1, 3, 0, 0, 0, 0}));
    EXPECT_EQ(tokenizer.encode("blue blue blue blue", 4).ids, (Ids{2, 4, 4, 3}));
    EXPECT_EQ(tokenizer.encode(std::string(101, 'b'), 4).ids, (Ids{2, 1, 3, 0}));
    EXPECT_EQ(WordPieceTokenizer(kVocabulary, false).encode("Blue", 4).ids, (Ids{2, 1, 3, 0}));
}

TEST(WordPieceTokenizer, SplitsAsBert) {
    EXPECT_EQ(split_words("A+b, $5\tx\x01y\u200Bz", true),
              (Words{"a", "+", "b", ",", "$", "5", "xyz"}));
    EXPECT_EQ(split_words("É花a", false), (Words{"É", "花", "a"}));
}

TEST(WordPieceTokenizer, RefusesOtherFiles) {
    EXPECT_NE(error_of(TokenizerKind::kWordPiece, "blue\n").find("[PAD]"), std::string::npos);
    EXPECT_NE(error_of(TokenizerKind::kWordPiece, "[PAD]\n[CLS]\n").find("[UNK]"),
              std::string::npos);
}

}  // namespace
}  // namespace lookalike
