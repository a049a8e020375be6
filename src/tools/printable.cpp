#include "tools/printable.h"

#include <cstdint>

#include "core/text/unicode.h"

namespace lookalike {
namespace {

// Also what turns the direction of the line round.
bool is_obeyed(char32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

std::string printable(std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    size_t length;
    for (; !text.empty(); text.remove_prefix(length)) {
        const char32_t code = first_point(text, length);
        const bool is_utf8 = length > 1 || code < 0x80;
        if (is_utf8 && !is_obeyed(code)) {
            out += text.substr(0, length);
            continue;
        }
        for (const char c : text.substr(0, length)) {
            const auto value = static_cast<uint8_t>(c);
            out += {'\\', 'x', kDigits[value >> 4], kDigits[value & 15]};
        }
    }
    return out;
}

}  // namespace lookalike
