#include "tools/bench/format.h"

#include <cstdarg>
#include <cstdio>

namespace lookalike {

std::string format(const char* pattern, ...) {
    char line[500];
    va_list arguments;
    va_start(arguments, pattern);
    std::vsnprintf(line, sizeof(line), pattern, arguments);
    va_end(arguments);
    return line;
}

std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char character : text) {
        if (character == '"' || character == '\\') result += '\\';
        result += character;
    }
    return result + '"';
}

}  // namespace lookalike
