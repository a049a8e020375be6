// The last step of CREATE INDEX: the sorted entries become lists, the lists a tree.
#pragma once

#include "am/build/assign.h"

namespace lookalike {

/// Writes the lists, the root and the mean, and tells the meta page where they are. Uses up the
/// entries.
void write_lists(Relation index, const LearnedLists& lists, EntrySort* entries, MetaPage* meta);

}  // namespace lookalike
