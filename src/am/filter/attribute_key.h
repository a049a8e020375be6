// One attribute type's order-preserving keys.
#pragma once

#include "pg/server.h"

#include "core/search/entry_filter.h"

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
    kText,       ///< a hash: equality only; before it five bytes, where it sorts by its bytes
};

KeyKind key_kind(Oid type);

/// What keys depend on. The width, 4 or 8 bytes, is settled when an index is built: text has 8
/// where it sorts by its bytes.
struct KeyColumn {
    Oid type;
    Oid collation;
    uint8 width;
};
uint8 key_width(Oid type, Oid collation);

/// The key of a value that is not NULL.
uint64 value_key(const KeyColumn& column, Datum value);

/// Keys of the rows for which `column <strategy> value` may hold; false in *exact when other rows
/// have such keys too. Strategies are btree's. `value_type` may be another type of the family.
KeyRange condition_range(const KeyColumn& column, int strategy, Oid value_type, Datum value,
                         bool* exact);

/// The range without a key.
constexpr KeyRange kNoKeys = {1, 0};

}  // namespace lookalike
