// What this session has read of the registry and keeps for the next call: functions that take
// something by its name are called once a row.
#pragma once

#include "pg/registry/registry.h"

namespace lookalike {

/// A kind of rows, and what to make of one.
struct KeptKind {
    const char* kind;
    /// Makes of a row what functions use, in the current memory context, which keeps it. Raises
    /// where the row is damaged.
    void* (*read)(const Registered& row);
    const char* missing_hint;  ///< for who names a row that is not there
};

/// What read() made of the row "name@version". Valid until the next call with the same kind: a few
/// of them are kept, the others are read again. Raises ERRCODE_UNDEFINED_OBJECT when it is not
/// registered. REQUIRES: `kind` is one object, of static storage.
const void* kept_registered(const KeptKind& kind, const char* key, size_t key_bytes);

}  // namespace lookalike
