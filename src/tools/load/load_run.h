// lookalike load: a folder's pictures into a table.
#pragma once

#include <string>

#include "tools/database.h"
#include "tools/load/load_table.h"

namespace lookalike {

struct LoadOptions {
    DatabaseOptions database;
    LoadTableOptions table;
    std::string folder;
    std::string metadata;  ///< a file, or empty
    std::string key;       ///< its column that names pictures; empty: guessed
    unsigned job_count = 0;
};

/// The exit status. Throws WrongUse, NoDatabase.
int run_load(const LoadOptions& options);

}  // namespace lookalike
