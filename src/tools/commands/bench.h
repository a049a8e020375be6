// lookalike bench: what it can be told.
#pragma once

#include <CLI/CLI.hpp>

namespace lookalike {

void add_bench(CLI::App& app);

}  // namespace lookalike
