#include "am/filter/attribute_key.h"

extern "C" {
#include "access/stratnum.h"
#include "utils/date.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"
}

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace lookalike {
namespace {

// Signed integers in the order of unsigned keys.
uint64 signed_key(int64 value, uint8 width) {
    if (width == 4) return static_cast<uint32>(static_cast<int32>(value)) ^ 0x80000000u;
    return static_cast<uint64>(value) ^ (uint64{1} << 63);
}

// Floats in the order of unsigned keys: -0 equals 0, NaN comes last, as PostgreSQL has it.
uint32 float4_key(float value) {
    if (std::isnan(value)) return std::numeric_limits<uint32>::max();
    const uint32 bits = std::bit_cast<uint32>(value + 0.0f);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

uint64 float8_key(double value) {
    if (std::isnan(value)) return std::numeric_limits<uint64>::max();
    const uint64 bits = std::bit_cast<uint64>(value + 0.0);
    return bits >> 63 ? ~bits : bits | (uint64{1} << 63);
}

double numeric_as_double(Datum value) {
    return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
}

uint64 uuid_key(Datum value) {
    const pg_uuid_t* uuid = DatumGetUUIDP(value);
    uint64 key = 0;
    for (int i = 0; i < 8; ++i)
        key = key << 8 | uuid->data[i];
    return key;
}

uint32 text_hash(const KeyColumn& column, Datum value) {
    const TypeCacheEntry* entry = lookup_type_cache(column.type, TYPECACHE_HASH_PROC_FINFO);
    if (!OidIsValid(entry->hash_proc_finfo.fn_oid)) {
        elog(ERROR, "could not find a hash function for type %u", column.type);
    }
    return DatumGetUInt32(
        FunctionCall1Coll(const_cast<FmgrInfo*>(&entry->hash_proc_finfo), column.collation, value));
}

// Text that sorts by its bytes: the first five, which have its order, then three of its hash, which
// tell texts apart that begin alike.
constexpr size_t kPrefixBytes = 5;
constexpr uint64 kPrefixUnit = uint64{1} << 8 * (8 - kPrefixBytes);

uint64 prefix_key(Oid type, Datum value) {
    text* string = DatumGetTextPP(value);
    const auto* bytes = reinterpret_cast<const uint8*>(VARDATA_ANY(string));
    auto length = static_cast<size_t>(VARSIZE_ANY_EXHDR(string));
    // To char(n) blanks at the end are nothing.
    while (type == BPCHAROID && length > 0 && bytes[length - 1] == ' ')
        --length;
    uint64 key = 0;
    for (size_t i = 0; i < kPrefixBytes; ++i)
        key = key << 8 | (i < length ? bytes[i] : 0);
    if (PointerGetDatum(string) != value) pfree(string);
    return key * kPrefixUnit;
}

uint64 text_key(const KeyColumn& column, Datum value) {
    const uint32 hash = text_hash(column, value);
    if (column.width == 4) return hash;
    return prefix_key(column.type, value) | hash % kPrefixUnit;
}

int64 integer_value(Oid type, Datum value) {
    if (type == INT2OID) return DatumGetInt16(value);
    return type == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);
}

uint64 highest_key(uint8 width) {
    return width == 4 ? std::numeric_limits<uint32>::max() : std::numeric_limits<uint64>::max();
}

// Rows whose key compares so with one key. Lossy keys: their neighbours may hide behind it too.
KeyRange around(uint64 key, int strategy, uint8 width, bool exact) {
    const uint64 highest = highest_key(width);
    switch (strategy) {
        case BTLessStrategyNumber:
            if (!exact) return {0, key};
            return key == 0 ? kNoKeys : KeyRange{0, key - 1};
        case BTLessEqualStrategyNumber:
            return {0, key};
        case BTEqualStrategyNumber:
            return {key, key};
        case BTGreaterEqualStrategyNumber:
            return {key, highest};
        default:
            if (!exact) return {key, highest};
            return key == highest ? kNoKeys : KeyRange{key + 1, highest};
    }
}

// A constant of another integer type may lie beyond the column's.
KeyRange integer_range(Oid type, int strategy, int64 value, uint8 width) {
    int64 lowest = std::numeric_limits<int64>::min();
    int64 highest = std::numeric_limits<int64>::max();
    if (type == INT2OID) lowest = PG_INT16_MIN, highest = PG_INT16_MAX;
    if (type == INT4OID) lowest = PG_INT32_MIN, highest = PG_INT32_MAX;
    const bool less = strategy <= BTLessEqualStrategyNumber;
    const KeyRange all{0, highest_key(width)};
    if (value < lowest) {
        return less || strategy == BTEqualStrategyNumber ? kNoKeys : all;
    }
    if (value > highest) return less ? all : kNoKeys;
    return around(signed_key(value, width), strategy, width, true);
}

KeyRange text_range(const KeyColumn& column, int strategy, Datum value) {
    const KeyRange all{0, highest_key(column.width)};
    if (strategy == BTEqualStrategyNumber) {
        return around(text_key(column, value), strategy, column.width, false);
    }
    if (column.width == 4) return all;
    const uint64 prefix = prefix_key(column.type, value);
    return strategy <= BTLessEqualStrategyNumber ? KeyRange{0, prefix + (kPrefixUnit - 1)}
                                                 : KeyRange{prefix, all.high};
}

double float_value(Oid type, Datum value) {
    return type == FLOAT4OID ? double{DatumGetFloat4(value)} : DatumGetFloat8(value);
}

// A double between two floats has no key among floats: the one next to it on either side joins.
KeyRange float4_range(int strategy, double value) {
    const float nearest = static_cast<float>(value);
    if (std::isnan(value) || double{nearest} == value) {
        return around(float4_key(nearest), strategy, 4, true);
    }
    const uint64 key = float4_key(nearest);
    const KeyRange range = around(key, strategy, 4, false);
    return strategy == BTEqualStrategyNumber ? kNoKeys : range;
}

}  // namespace

KeyKind key_kind(Oid type) {
    switch (type) {
        case BOOLOID:
            return KeyKind::kBool;
        case INT2OID:
        case INT4OID:
        case INT8OID:
            return KeyKind::kInteger;
        case FLOAT4OID:
            return KeyKind::kFloat4;
        case FLOAT8OID:
            return KeyKind::kFloat8;
        case DATEOID:
            return KeyKind::kDate;
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
            return KeyKind::kTimestamp;
        case UUIDOID:
            return KeyKind::kUuid;
        case NUMERICOID:
            return KeyKind::kNumeric;
        case TEXTOID:
        case VARCHAROID:
        case BPCHAROID:
            return KeyKind::kText;
        case ANYENUMOID:
            return KeyKind::kEnum;
        default:
            return type_is_enum(type) ? KeyKind::kEnum : KeyKind::kNone;
    }
}

uint8 key_width(Oid type, Oid collation) {
    switch (key_kind(type)) {
        case KeyKind::kInteger:
            return type == INT8OID ? 8 : 4;
        case KeyKind::kFloat8:
        case KeyKind::kTimestamp:
        case KeyKind::kUuid:
        case KeyKind::kNumeric:
            return 8;
        case KeyKind::kText:
            return sorts_by_bytes(collation) ? 8 : 4;
        default:
            return 4;
    }
}

uint64 value_key(const KeyColumn& column, Datum value) {
    switch (key_kind(column.type)) {
        case KeyKind::kBool:
            return DatumGetBool(value);
        case KeyKind::kInteger:
            return signed_key(integer_value(column.type, value), column.width);
        case KeyKind::kFloat4:
            return float4_key(DatumGetFloat4(value));
        case KeyKind::kFloat8:
            return float8_key(DatumGetFloat8(value));
        case KeyKind::kDate:
            return signed_key(DatumGetDateADT(value), 4);
        case KeyKind::kTimestamp:
            return signed_key(DatumGetTimestamp(value), 8);
        case KeyKind::kEnum:
            return DatumGetObjectId(value);
        case KeyKind::kUuid:
            return uuid_key(value);
        case KeyKind::kNumeric:
            return float8_key(numeric_as_double(value));
        case KeyKind::kText:
            return text_key(column, value);
        case KeyKind::kNone:
            break;
    }
    elog(ERROR, "type %u has no keys", column.type);
}

KeyRange condition_range(const KeyColumn& column, int strategy, Oid value_type, Datum value,
                         bool* exact) {
    *exact = true;
    switch (key_kind(column.type)) {
        case KeyKind::kInteger:
            return integer_range(column.type, strategy, integer_value(value_type, value),
                                 column.width);
        case KeyKind::kFloat4:
            *exact = false;
            return float4_range(strategy, float_value(value_type, value));
        case KeyKind::kFloat8:
            return around(float8_key(float_value(value_type, value)), strategy, 8, true);
        case KeyKind::kEnum:
            // Enum values sort by an order that ADD VALUE may change, not by their OIDs.
            if (strategy != BTEqualStrategyNumber) {
                *exact = false;
                return {0, highest_key(column.width)};
            }
            return around(value_key(column, value), strategy, column.width, true);
        case KeyKind::kText:
            *exact = false;
            return text_range(column, strategy, value);
        case KeyKind::kUuid:
        case KeyKind::kNumeric:
            *exact = false;
            return around(value_key(column, value), strategy, column.width, false);
        default:
            return around(value_key(column, value), strategy, column.width, true);
    }
}

}  // namespace lookalike
