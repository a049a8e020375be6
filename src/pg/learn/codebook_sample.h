// The pictures that a codebook is learned from: as many of a query's rows as memory holds.
//
// The query runs twice: first to choose, then to read what was chosen, so that no picture is looked
// into in vain. Which rows are chosen, and in what order they lie, is decided by hashes of what
// they hold. So the same rows in any order give the same codebook. A picture that comes again
// teaches nothing new and is left out.
#pragma once

#include "core/protocol/worker.h"
#include "pg/image/functions.h"
#include "pg/local/value.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace lookalike {

/// More pictures gain nothing that would be worth their time.
constexpr uint32 kMostPictures = 4096;

/// A picture that was chosen.
struct ChosenPicture {
    uint64 hash;
    uint64 bytes;       ///< of its local features, at most
    LocalValue* value;  ///< null until it has been read, and where there are no features
    bool is_taken;
};

/// Lives in the memory context that was current at choose_pictures().
struct CodebookSample {
    LocalWish wish;       ///< what is looked for in pictures
    uint64 memory_bytes;  ///< that local features may take

    bool are_pictures;      ///< bytea, else local features
    ChosenPicture* chosen;  ///< room for twice as many as may stay
    uint32 count;
    uint64 dropped_from;  ///< hashes from here on have no room
    uint64 seen;          ///< rows that hold something
    uint64 null_count;
    uint32 broken_count;  ///< chosen pictures that cannot be used
    uint32 empty_count;   ///< without features
    uint64 feature_count;
    uint64 feature_bytes;  ///< of all values
    uint32 picture_count;  ///< with features
    uint32 read_count;
    TimestampTz last_told;
};

/// Runs `query`, which gives pictures or local features, twice. REQUIRES: SPI is connected.
void sample_pictures(const char* query, CodebookSample* sample);

/// At most every ten seconds a NOTICE: how far something is that takes long.
void tell_progress(CodebookSample* sample, const char* what, uint64 step, uint64 step_count);

}  // namespace lookalike
