// lookalike search: what it can be told.
#pragma once

#include <CLI/CLI.hpp>

namespace lookalike {

void add_search(CLI::App& app);

}  // namespace lookalike
