// Files that are compiled into the program (CMakeLists.txt says which).
#pragma once

#include <string_view>

namespace lookalike {

/// REQUIRES: one of them.
std::string_view static_file(std::string_view name);

}  // namespace lookalike
