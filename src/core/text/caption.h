// How CLIP wants its texts: without what only looks or is written differently.
#pragma once

#include <string>
#include <string_view>

#include "core/no_postgres.h"

namespace lookalike {

/// Characters of HTML (&amp;) as such, curly quotes straight, wide letters narrow, ligatures as
/// letters, no control characters, white space as single spaces and none at the ends.
std::u32string clean_caption(std::string_view text);

}  // namespace lookalike
