// The words of an index on local features, read from its root.
#pragma once

#include "am/storage/loaded_index.h"
#include "core/votes/words.h"

namespace lookalike {

/// Those of the tree's version that was loaded. Lives in the current memory context.
Words* read_words(Relation index, const LoadedIndex& loaded);

}  // namespace lookalike
