#include "core/text/unicode.h"

#include <algorithm>

#include "core/text/unicode_tables.h"

namespace lookalike {
namespace {

constexpr char32_t kSigma = 0x3A3;
constexpr char32_t kFinalSigma = 0x3C2;
constexpr char32_t kDottedI = 0x130;
constexpr char32_t kDotAbove = 0x307;

// Syllables of Hangul are counted through: a first part, a middle and perhaps an end.
constexpr char32_t kFirstSyllable = 0xAC00;
constexpr char32_t kLastSyllable = 0xD7A3;
constexpr char32_t kFirstParts = 0x1100;
constexpr char32_t kMiddleParts = 0x1161;
constexpr char32_t kEndParts = 0x11A7;
constexpr char32_t kMiddleCount = 21;
constexpr char32_t kEndCount = 28;

bool among(std::span<const CodeRange> ranges, char32_t point) {
    const auto next = std::ranges::upper_bound(ranges, point, {}, &CodeRange::first);
    return next != ranges.begin() && point <= std::prev(next)->last;
}

/// How many bytes a point takes that begins with this one; 0 for what begins none.
size_t length_of(unsigned char first) {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first < 0xE0) return 2;
    if (first >= 0xE0 && first < 0xF0) return 3;
    return first >= 0xF0 && first < 0xF5 ? 4 : 0;
}

char32_t lower_case(char32_t point) {
    const auto next = std::ranges::upper_bound(kLowerCase, point, {}, &LowerCase::first);
    if (next == kLowerCase.begin()) return point;
    const LowerCase& run = *std::prev(next);
    if (point > run.last || (point - run.first) % run.step != 0) return point;
    return static_cast<char32_t>(static_cast<int32_t>(point) + run.delta);
}

/// What may stand between a letter and the end of its word.
bool is_passed_over(char32_t point) {
    return is_mark(point) || point == '\'' || point == '.' || point == 0xAD || point == 0x2019;
}

bool ends_word(std::u32string_view text, size_t at) {
    size_t before = at;
    while (before > 0 && is_passed_over(text[before - 1]))
        --before;
    size_t behind = at + 1;
    while (behind < text.size() && is_passed_over(text[behind]))
        ++behind;
    return before > 0 && is_letter(text[before - 1]) &&
           (behind == text.size() || !is_letter(text[behind]));
}

void append_syllable(char32_t point, std::u32string& to) {
    const char32_t number = point - kFirstSyllable;
    to += kFirstParts + number / (kMiddleCount * kEndCount);
    to += kMiddleParts + number / kEndCount % kMiddleCount;
    if (number % kEndCount != 0) to += kEndParts + number % kEndCount;
}

}  // namespace

char32_t first_point(std::string_view text, size_t& length) {
    const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
    length = length_of(byte(0));
    if (length == 1) return byte(0);
    constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t wanted = length;
    length = 1;
    if (wanted == 0 || text.size() < wanted) return kReplacement;
    char32_t point = byte(0) & (0xFF >> (wanted + 1));
    for (size_t i = 1; i < wanted; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return kReplacement;
        point = point << 6 | (byte(i) & 0x3F);
    }
    const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (point < kLeast[wanted] || point > 0x10FFFF || is_surrogate) return kReplacement;
    length = wanted;
    return point;
}

std::u32string decode_utf8(std::string_view text) {
    std::u32string points;
    points.reserve(text.size());
    for (size_t length; !text.empty(); text.remove_prefix(length))
        points += first_point(text, length);
    return points;
}

void append_utf8(char32_t point, std::string& to) {
    const auto tail = [&](int shift) { to += static_cast<char>(0x80 | ((point >> shift) & 0x3F)); };
    if (point < 0x80) {
        to += static_cast<char>(point);
    } else if (point < 0x800) {
        to += static_cast<char>(0xC0 | point >> 6);
        tail(0);
    } else if (point < 0x10000) {
        to += static_cast<char>(0xE0 | point >> 12);
        tail(6);
        tail(0);
    } else {
        to += static_cast<char>(0xF0 | point >> 18);
        tail(12);
        tail(6);
        tail(0);
    }
}

std::string encode_utf8(std::u32string_view text) {
    std::string bytes;
    for (const char32_t point : text)
        append_utf8(point, bytes);
    return bytes;
}

bool is_letter(char32_t point) {
    return among(kLetters, point);
}

bool is_number(char32_t point) {
    return among(kNumbers, point);
}

bool is_space(char32_t point) {
    return among(kSpaces, point);
}

bool is_mark(char32_t point) {
    return among(kMarks, point);
}

bool is_punctuation(char32_t point) {
    return among(kPunctuation, point);
}

bool is_control(char32_t point) {
    return among(kControls, point);
}

std::u32string lower_case(std::u32string_view text) {
    std::u32string lower;
    lower.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == kSigma && ends_word(text, i)) {
            lower += kFinalSigma;
        } else if (text[i] == kDottedI) {
            lower += U'i';
            lower += kDotAbove;
        } else {
            lower += lower_case(text[i]);
        }
    }
    return lower;
}

std::u32string without_marks(std::u32string_view text) {
    std::u32string bare;
    bare.reserve(text.size());
    for (const char32_t point : text) {
        if (point >= kFirstSyllable && point <= kLastSyllable) {
            append_syllable(point, bare);
            continue;
        }
        const auto found = std::ranges::lower_bound(kBarePoints, point, {}, &BarePoint::point);
        if (found != kBarePoints.end() && found->point == point) {
            bare += found->first;
            if (found->second != 0) bare += found->second;
        } else if (!is_mark(point)) {
            bare += point;
        }
    }
    return bare;
}

}  // namespace lookalike
