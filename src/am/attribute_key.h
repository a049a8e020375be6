// One attribute type's order-preserving keys.
#pragma once

#include "pg/server.h"

#include "core/entry_filter.h"

namespace lookalike {

/// How a type becomes a key.
enum class KeyKind {
    kNone,  ///< the type cannot be an attribute
    kBool,
    kInteger,  ///< int2, int4, int8: exact
    kFloat4,
    kFloat8,
    kDate,       ///< exact, as integers
    kTimestamp,  ///< exact, as integers
    kEnum,       ///< the OID: equality only
    kUuid,       ///< the first eight bytes
    kNumeric,    ///< the nearest double
    kText,       ///< a hash: equality only
};

struct KeyType {
    KeyKind kind;
    uint8 width;
};
KeyType key_type(Oid type);

/// The key of a value that is not NULL.
uint64 value_key(Oid type, Oid collation, Datum value);

/// Keys of the rows for which `column <strategy> value` may hold; false in *exact when other rows
/// have such keys too. Strategies are btree's. `value_type` may be another type of the family.
KeyRange condition_range(Oid type, Oid collation, int strategy, Oid value_type, Datum value,
                         bool* exact);

/// The range without a key.
constexpr KeyRange kNoKeys = {1, 0};

}  // namespace lookalike
