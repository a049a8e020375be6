// How wide and high the pictures of rows are, which their places in a grid follow from.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/gallery/gallery.h"

namespace lookalike {

/// Pixels, in the order of the keys; of what cannot be read 0 and 0.
std::vector<std::pair<int, int>> row_sizes(Gallery& gallery, pqxx::transaction_base& work,
                                           const std::vector<std::string>& keys);

}  // namespace lookalike
