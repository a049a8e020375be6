#include "core/vector/text_form.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/vector/half.h"

namespace lookalike {
namespace {

constexpr size_t kMaxNumberBytes = 16;  // "-1.17549435e-38" and a comma

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_hex_start(char c) {
    return c == 'x' || c == 'X';
}

bool is_mark_of_bits(char c) {
    return is_hex_start(c) || c == 'b' || c == 'B';
}

// Nothing but digits, as PostgreSQL writes its type bit.
bool is_plain_digits(std::string_view text) {
    return text.find_first_not_of("01") == std::string_view::npos;
}

// Decides between overflow and underflow for a number that from_chars() calls out of range: the
// power of ten of its first significant digit tells.
bool is_tiny(std::string_view number) {
    const size_t mark = number.find_first_of("eE");
    const std::string_view mantissa = number.substr(0, mark);
    long exponent = 0;
    if (mark != std::string_view::npos) {
        std::string_view digits = number.substr(mark + 1);
        if (!digits.empty() && digits.front() == '+') digits.remove_prefix(1);
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
        if (error == std::errc::result_out_of_range) return digits.front() == '-';
    }
    const size_t first = mantissa.find_first_of("123456789");
    if (first == std::string_view::npos) return true;
    const size_t point = std::min(mantissa.find('.'), mantissa.size());
    const long place =
        first < point ? static_cast<long>(point - first) - 1 : -static_cast<long>(first - point);
    // Both terms are bounded: the text is in memory, and a huge exponent was handled above.
    return exponent < -place;
}

TextFault classify_non_finite(double value) {
    return std::isnan(value) ? TextFault::kNotANumber : TextFault::kInfinite;
}

// Reads a number from the front of `text` and removes it.
TextFault read_number(std::string_view& text, double& value) {
    const char* begin = text.data();
    const char* const end = begin + text.size();
    if (begin != end && *begin == '+' && begin + 1 != end && begin[1] != '-') ++begin;
    // A float read as float is rounded once; only out-of-range text takes the second look.
    float narrow;
    auto [rest, error] = std::from_chars(begin, end, narrow);
    if (error == std::errc::invalid_argument) return TextFault::kBadElement;
    const std::string_view number(begin, static_cast<size_t>(rest - begin));
    value = narrow;
    text.remove_prefix(static_cast<size_t>(rest - text.data()));
    if (error == std::errc::result_out_of_range) {
        if (std::from_chars(begin, end, value).ec == std::errc()) return TextFault::kNone;
        if (!is_tiny(number)) return TextFault::kOutOfRange;
        value = number.front() == '-' ? -0.0 : 0.0;
        return TextFault::kNone;
    }
    return std::isfinite(narrow) ? TextFault::kNone : classify_non_finite(narrow);
}

// A half is rounded once, from the decimal text by way of a double.
TextFault read_half_number(std::string_view& text, double& value) {
    const char* begin = text.data();
    if (!text.empty() && *begin == '+') ++begin;
    const char* const end = text.data() + text.size();
    const TextFault fault = read_number(text, value);
    if (fault == TextFault::kNone) {
        double wide;
        if (std::from_chars(begin, end, wide).ec == std::errc()) value = wide;
    }
    return fault;
}

bool store_number(double value, Kind kind, uint32_t index, void* elements) {
    if (kind == Kind::kHalf) {
        const uint16_t half = half_from_double(value);
        static_cast<uint16_t*>(elements)[index] = half;
        return (half & 0x7c00) != 0x7c00;
    }
    const float real = static_cast<float>(value);
    static_cast<float*>(elements)[index] = real;
    return std::isfinite(real);
}

std::string_view element_at(std::string_view text) {
    size_t length = 0;
    while (length < text.size() && length < 40 && text[length] != ',' && text[length] != ']')
        ++length;
    return trim(text.substr(0, length));
}

TextResult parse_numbers(std::string_view text, Kind kind, uint32_t dims, void* elements) {
    text.remove_prefix(1);
    for (uint32_t i = 0; i < dims; ++i) {
        while (!text.empty() && is_space(text.front()))
            text.remove_prefix(1);
        const std::string_view element = element_at(text);
        if (element.empty()) {
            return {text.empty() ? TextFault::kUnclosed : TextFault::kBadElement, element};
        }
        double value;
        const TextFault fault =
            kind == Kind::kHalf ? read_half_number(text, value) : read_number(text, value);
        if (fault != TextFault::kNone) return {fault, element};
        if (!store_number(value, kind, i, elements)) return {TextFault::kOutOfRange, element};
        while (!text.empty() && is_space(text.front()))
            text.remove_prefix(1);
        if (text.empty()) return {TextFault::kUnclosed, {}};
        const char expected = i + 1 < dims ? ',' : ']';
        if (text.front() != expected) return {TextFault::kBadElement, element};
        text.remove_prefix(1);
    }
    return {text.empty() ? TextFault::kNone : TextFault::kTrailingText, text};
}

TextResult parse_bits(std::string_view text, uint32_t dims, uint8_t* bits) {
    std::memset(bits, 0, element_bytes(Kind::kBit, dims));
    const bool is_hex = is_hex_start(text.front());
    if (is_mark_of_bits(text.front())) text.remove_prefix(1);
    for (size_t i = 0; i < text.size(); ++i) {
        const int digit = hex_digit(text[i]);
        if (digit < 0 || (!is_hex && digit > 1)) {
            return {TextFault::kBadElement, text.substr(i, 1)};
        }
        if (is_hex) {
            bits[i / 2] |= static_cast<uint8_t>(i % 2 ? digit : digit << 4);
        } else {
            bits[i / 8] |= static_cast<uint8_t>(digit << (7 - i % 8));
        }
    }
    return {TextFault::kNone, {}};
}

size_t format_bits(const DescriptorView& descriptor, char* out) {
    const uint8_t* bits = descriptor.bits();
    char* at = out;
    if (descriptor.dims % 4 != 0) {
        *at++ = 'b';
        for (uint32_t i = 0; i < descriptor.dims; ++i)
            *at++ = (bits[i / 8] >> (7 - i % 8)) & 1 ? '1' : '0';
        return static_cast<size_t>(at - out);
    }
    *at++ = 'x';
    for (uint32_t i = 0; i < descriptor.dims / 4; ++i)
        *at++ = "0123456789abcdef"[i % 2 ? bits[i / 2] & 15 : bits[i / 2] >> 4];
    return static_cast<size_t>(at - out);
}

// The decimal with the fewest digits that rounds to `half`, as a double. Powers of ten up to 10^22
// and their products with 11 bits are exact, so one division gives what reading the text would.
double shortest_decimal(uint16_t half) {
    static constexpr double kPowersOfTen[] = {1e0, 1e1, 1e2, 1e3,  1e4,  1e5, 1e6,
                                              1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
    constexpr int kSmallestPlace = -8;  // of 2^-24, about 6e-8
    const double exact = half_to_float(half);
    if (exact == 0) return exact;
    int place = kSmallestPlace;  // power of ten of the first digit
    while (place < 4 && std::fabs(exact) >=
                            (place < -1 ? 1 / kPowersOfTen[-place - 1] : kPowersOfTen[place + 1]))
        ++place;
    for (int exponent = -place; exponent < 5 - place; ++exponent) {
        const double scale = kPowersOfTen[std::abs(exponent)];
        const double decimal = exponent < 0 ? std::nearbyint(exact / scale) * scale
                                            : std::nearbyint(exact * scale) / scale;
        if (half_from_double(decimal) == half) return decimal;
    }
    return exact;
}

char* format_half(uint16_t half, char* out) {
    const auto shortest = std::to_chars(out, out + kMaxNumberBytes, shortest_decimal(half));
    // 65504 rather than the equally long 65500.
    char exact[32];
    const auto written = std::to_chars(exact, exact + sizeof exact, half_to_float(half));
    if (written.ptr - exact > shortest.ptr - out) return shortest.ptr;
    std::memcpy(out, exact, static_cast<size_t>(written.ptr - exact));
    return out + (written.ptr - exact);
}

}  // namespace

TextShape text_shape(std::string_view text) {
    text = trim(text);
    if (text.empty()) return {TextFault::kEmpty, false, 0};
    const bool is_marked = is_mark_of_bits(text.front());
    const bool is_bit = is_marked || is_plain_digits(text);
    if (!is_bit && text.front() != '[') return {TextFault::kBadStart, false, 0};
    size_t dims;
    if (is_bit) {
        dims = (text.size() - is_marked) * (is_hex_start(text.front()) ? 4 : 1);
    } else {
        const size_t close = text.find(']');
        if (close == std::string_view::npos) return {TextFault::kUnclosed, false, 0};
        if (close + 1 != text.size()) return {TextFault::kTrailingText, false, 0};
        const std::string_view inside = text.substr(1, close - 1);
        dims = trim(inside).empty() ? 0 : 1;
        for (const char c : inside)
            dims += c == ',';
    }
    if (dims == 0) return {TextFault::kNoDimensions, is_bit, 0};
    const uint32_t limit = max_dims(is_bit ? Kind::kBit : Kind::kReal);
    if (dims > limit) return {TextFault::kTooManyDimensions, is_bit, 0};
    return {TextFault::kNone, is_bit, static_cast<uint32_t>(dims)};
}

TextResult parse_text(std::string_view text, Kind kind, uint32_t dims, void* elements) {
    text = trim(text);
    if (kind == Kind::kBit) return parse_bits(text, dims, static_cast<uint8_t*>(elements));
    return parse_numbers(text, kind, dims, elements);
}

size_t max_text_bytes(Kind kind, uint32_t dims) {
    return kind == Kind::kBit ? size_t{dims} + 1 : size_t{dims} * kMaxNumberBytes + 2;
}

size_t format_text(const DescriptorView& descriptor, char* out) {
    if (descriptor.kind == Kind::kBit) return format_bits(descriptor, out);
    char* at = out;
    *at++ = '[';
    for (uint32_t i = 0; i < descriptor.dims; ++i) {
        if (i > 0) *at++ = ',';
        if (descriptor.kind == Kind::kHalf) {
            at = format_half(descriptor.halves()[i], at);
        } else {
            at = std::to_chars(at, at + kMaxNumberBytes, descriptor.reals()[i]).ptr;
        }
    }
    *at++ = ']';
    return static_cast<size_t>(at - out);
}

}  // namespace lookalike
