// Texts of numbers, for results that programs and people read.
#pragma once

#include <string>

namespace lookalike {

/// As printf() writes it. REQUIRES: fewer than 500 bytes.
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

/// A JSON string. REQUIRES: no control characters.
std::string quoted(const std::string& text);

}  // namespace lookalike
