// Which table, and what the client cannot find out of it.
#pragma once

#include <CLI/CLI.hpp>

#include "tools/picture_table/picture_table.h"

namespace lookalike {

void add_picture_table_options(CLI::App& command, PictureTableOptions& options);

}  // namespace lookalike
