#include "tools/json_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "core/text/unicode.h"

namespace lookalike {

std::string json_text(std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string out = "\"";
    size_t length;
    for (; !text.empty(); text.remove_prefix(length)) {
        const char32_t code = first_point(text, length);
        const auto byte = static_cast<uint8_t>(text[0]);
        if (length == 1 && byte >= 0x80) {
            out += "\xef\xbf\xbd";
        } else if (code == '"' || code == '\\') {
            out += {'\\', text[0]};
        } else if (code == '\n') {
            out += "\\n";
        } else if (code < 0x20 || code == 0x7f || code == '<') {
            out += {'\\', 'u', '0', '0', kDigits[byte >> 4], kDigits[byte & 15]};
        } else if (code == 0x2028 || code == 0x2029) {
            out += code == 0x2028 ? "\\u2028" : "\\u2029";
        } else {
            out += text.substr(0, length);
        }
    }
    return out + "\"";
}

std::string json_number(std::optional<double> value) {
    if (!value || !std::isfinite(*value)) return "null";
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, *value);
    return {buffer, end.ptr};
}

}  // namespace lookalike
