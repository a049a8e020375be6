#include "core/text/caption.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/text/unicode.h"

namespace lookalike {
namespace {

struct NamedCharacter {
    std::u32string_view name;
    char32_t point;
};
constexpr NamedCharacter kNamedCharacters[] = {{U"amp", U'&'},  {U"lt", U'<'},    {U"gt", U'>'},
                                               {U"quot", U'"'}, {U"apos", U'\''}, {U"nbsp", 0xA0},
                                               {U"#39", U'\''}};

struct Ligature {
    char32_t point;
    std::u32string_view letters;
};
constexpr Ligature kLigatures[] = {
    {0x132, U"IJ"},       {0x133, U"ij"},      {0x149, U"\u02BCn"}, {0x1C4, U"D\u017D"},
    {0x1C5, U"D\u017E"},  {0x1C6, U"d\u017E"}, {0x1C7, U"LJ"},      {0x1C8, U"Lj"},
    {0x1C9, U"lj"},       {0x1CA, U"NJ"},      {0x1CB, U"Nj"},      {0x1CC, U"nj"},
    {0x1F1, U"DZ"},       {0x1F2, U"Dz"},      {0x1F3, U"dz"},      {0xFB00, U"ff"},
    {0xFB01, U"fi"},      {0xFB02, U"fl"},     {0xFB03, U"ffi"},    {0xFB04, U"ffl"},
    {0xFB05, U"\u017Ft"}, {0xFB06, U"st"}};

/// Longest name of a character, with the numbers among them.
constexpr size_t kMaxName = 9;

std::optional<char32_t> numbered_character(std::u32string_view name) {
    if (name.size() < 2 || name[0] != U'#') return std::nullopt;
    const bool is_hex = name[1] == U'x' || name[1] == U'X';
    std::string digits;
    for (const char32_t letter : name.substr(is_hex ? 2 : 1)) {
        if (letter > 0x7F) return std::nullopt;
        digits += static_cast<char>(letter);
    }
    uint32_t point = 0;
    const char* end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, point, is_hex ? 16 : 10);
    const bool is_point = point >= 0x20 && point <= 0x10FFFF &&
                          (point < 0xD800 || point > 0xDFFF) && (point < 0x7F || point > 0x9F);
    if (result.ec != std::errc{} || result.ptr != end || !is_point) return std::nullopt;
    return point;
}

std::optional<char32_t> named_character(std::u32string_view name) {
    for (const NamedCharacter& known : kNamedCharacters)
        if (name == known.name) return known.point;
    return numbered_character(name);
}

std::u32string without_html(std::u32string_view text) {
    std::u32string plain;
    for (size_t i = 0; i < text.size(); ++i) {
        const size_t length = text.substr(i + 1, kMaxName + 1).find(U';');
        const auto character = text[i] == U'&' && length != text.npos
                                   ? named_character(text.substr(i + 1, length))
                                   : std::nullopt;
        plain += character.value_or(text[i]);
        if (character) i += length + 1;
    }
    return plain;
}

bool is_dropped(char32_t point) {
    const auto between = [point](char32_t first, char32_t last) {
        return point >= first && point <= last;
    };
    return between(0, 8) || point == 0xB || between(0xE, 0x1F) || point == 0x7F ||
           between(0x206A, 0x206F) || point == 0xFEFF || between(0xFFF9, 0xFFFC);
}

void append_plain(char32_t point, std::u32string& to) {
    constexpr char32_t kWideToNarrow = 0xFEE0;
    if (is_dropped(point)) return;
    if (point == 0x2BC || (point >= 0x2018 && point <= 0x201B)) {
        to += U'\'';
    } else if (point >= 0x201C && point <= 0x201F) {
        to += U'"';
    } else if (point >= 0xFF01 && point <= 0xFF5E) {
        to += point - kWideToNarrow;
    } else {
        const auto* ligature = std::ranges::find(kLigatures, point, &Ligature::point);
        if (ligature != std::end(kLigatures))
            to += ligature->letters;
        else
            to += point;
    }
}

}  // namespace

std::u32string clean_caption(std::string_view text) {
    // Twice: captions from the web have been through it more than once.
    const std::u32string unescaped = without_html(without_html(decode_utf8(text)));
    std::u32string plain;
    for (const char32_t point : unescaped)
        append_plain(point, plain);
    std::u32string clean;
    for (const char32_t point : plain) {
        if (!is_space(point))
            clean += point;
        else if (!clean.empty() && clean.back() != U' ')
            clean += U' ';
    }
    if (clean.ends_with(U' ')) clean.pop_back();
    return clean;
}

}  // namespace lookalike
