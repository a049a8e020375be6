// Text as code points, and what kind each of them is.
#pragma once

#include <string>
#include <string_view>

#include "core/no_postgres.h"

namespace lookalike {

constexpr char32_t kReplacement = 0xFFFD;

/// The code point at the front, and how many bytes it takes; kReplacement and 1 for a byte that
/// begins nothing. REQUIRES: text not empty.
char32_t first_point(std::string_view text, size_t& length);

/// Bytes that are not UTF-8 become U+FFFD, one for each byte that begins nothing.
std::u32string decode_utf8(std::string_view text);
void append_utf8(char32_t point, std::string& to);
std::string encode_utf8(std::u32string_view text);

bool is_letter(char32_t point);
bool is_number(char32_t point);
bool is_space(char32_t point);
bool is_mark(char32_t point);         ///< that takes no room of its own: accents
bool is_punctuation(char32_t point);  ///< of Unicode; symbols such as $ and + are none
bool is_control(char32_t point);      ///< and what formats: tab and newline are among them

/// As Python's lower() and JavaScript's toLowerCase(): a capital sigma at the end of a word is a
/// final one.
std::u32string lower_case(std::u32string_view text);

/// Without accents and other marks, and everything taken apart that can be.
std::u32string without_marks(std::u32string_view text);

}  // namespace lookalike
