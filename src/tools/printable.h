// Text of others on a terminal: names of files and values may hold what terminals obey.
#pragma once

#include <string>
#include <string_view>

namespace lookalike {

/// Control characters and bytes that are no UTF-8 become "\x1b" and the like.
std::string printable(std::string_view text);

}  // namespace lookalike
