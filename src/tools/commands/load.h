// lookalike load: what it can be told.
#pragma once

#include <CLI/CLI.hpp>

namespace lookalike {

void add_load(CLI::App& app);

}  // namespace lookalike
