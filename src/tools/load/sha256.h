// SHA-256 (FIPS 180-4), as the server's sha256().
#pragma once

#include <string>
#include <string_view>

namespace lookalike {

/// The 32 bytes of it.
std::string sha256(std::string_view bytes);

}  // namespace lookalike
