#include "tools/printable.h"

#include <cstdint>

namespace lookalike {
namespace {

struct Character {
    size_t length;  ///< 0: no UTF-8
    uint32_t code;
};

Character first_character(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
    const uint8_t head = byte(0);
    if (head < 0x80) return {1, head};
    const size_t length = head >= 0xf0 ? 4 : head >= 0xe0 ? 3 : 2;
    if (head < 0xc2 || head > 0xf4 || text.size() < length) return {0, 0};
    uint32_t code = head & (0x7f >> length);
    for (size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {0, 0};
        code = code << 6 | (byte(i) & 0x3f);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xd800 && code < 0xe000;
    if (code < kLeast[length] || code > 0x10ffff || is_surrogate) return {0, 0};
    return {length, code};
}

// Also what turns the direction of the line round.
bool is_obeyed(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

size_t utf8_length(std::string_view text) {
    return first_character(text).length;
}

std::string printable(std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    while (!text.empty()) {
        const Character character = first_character(text);
        const size_t length = character.length > 0 ? character.length : 1;
        if (character.length > 0 && !is_obeyed(character.code)) {
            out += text.substr(0, length);
        } else {
            for (const char c : text.substr(0, length)) {
                const auto value = static_cast<uint8_t>(c);
                out += {'\\', 'x', kDigits[value >> 4], kDigits[value & 15]};
            }
        }
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace lookalike
