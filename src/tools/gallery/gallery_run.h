// lookalike gallery: a page over a table of pictures.
#pragma once

#include <string>
#include <vector>

#include "tools/database.h"
#include "tools/picture_table/picture_table.h"

namespace lookalike {

struct GalleryOptions {
    DatabaseOptions database;
    PictureTableOptions table;
    std::string listen = "127.0.0.1:8080";
    std::vector<std::string> host_names;
    std::string marks;  ///< table as in SQL; empty: the table's name and "_marks"
    bool is_read_only = false;
    unsigned connection_count = 8;
    unsigned timeout_ms = 10000;
};

/// Until Ctrl-C. Throws WrongUse, NoDatabase.
void run_gallery(const GalleryOptions& options);

}  // namespace lookalike
