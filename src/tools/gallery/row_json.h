// Rows as a page gets them.
#pragma once

#include <string>

#include "tools/gallery/gallery.h"
#include "tools/picture_table/ask.h"

namespace lookalike {

/// An array of {key, distance, match, width, height, values}; long values are cut.
std::string rows_json(Gallery& gallery, pqxx::transaction_base& work,
                      const std::vector<FoundRow>& rows);

}  // namespace lookalike
