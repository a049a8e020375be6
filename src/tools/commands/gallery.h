// lookalike gallery: what it can be told.
#pragma once

#include <CLI/CLI.hpp>

namespace lookalike {

void add_gallery(CLI::App& app);

}  // namespace lookalike
