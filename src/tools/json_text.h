// JSON is written by hand: texts and numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lookalike {

/// In quotes, and safe inside of a script element. Bytes that are no UTF-8 become U+FFFD.
std::string json_text(std::string_view text);

/// The shortest that gives the same number; null for what is no number.
std::string json_number(std::optional<double> value);

}  // namespace lookalike
