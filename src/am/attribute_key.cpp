#include "am/attribute_key.h"

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

uint64 text_key(Oid type, Oid collation, Datum value) {
    const TypeCacheEntry* entry = lookup_type_cache(type, TYPECACHE_HASH_PROC_FINFO);
    if (!OidIsValid(entry->hash_proc_finfo.fn_oid)) {
        elog(ERROR, "could not find a hash function for type %u", type);
    }
    return DatumGetUInt32(
        FunctionCall1Coll(const_cast<FmgrInfo*>(&entry->hash_proc_finfo), collation, value));
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

KeyType key_type(Oid type) {
    switch (type) {
        case BOOLOID:
            return {KeyKind::kBool, 4};
        case INT2OID:
        case INT4OID:
            return {KeyKind::kInteger, 4};
        case INT8OID:
            return {KeyKind::kInteger, 8};
        case FLOAT4OID:
            return {KeyKind::kFloat4, 4};
        case FLOAT8OID:
            return {KeyKind::kFloat8, 8};
        case DATEOID:
            return {KeyKind::kDate, 4};
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
            return {KeyKind::kTimestamp, 8};
        case UUIDOID:
            return {KeyKind::kUuid, 8};
        case NUMERICOID:
            return {KeyKind::kNumeric, 8};
        case TEXTOID:
        case VARCHAROID:
        case BPCHAROID:
            return {KeyKind::kText, 4};
        case ANYENUMOID:
            return {KeyKind::kEnum, 4};
        default:
            return type_is_enum(type) ? KeyType{KeyKind::kEnum, 4} : KeyType{KeyKind::kNone, 0};
    }
}

uint64 value_key(Oid type, Oid collation, Datum value) {
    switch (key_type(type).kind) {
        case KeyKind::kBool:
            return DatumGetBool(value);
        case KeyKind::kInteger:
            return signed_key(integer_value(type, value), key_type(type).width);
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
            return text_key(type, collation, value);
        case KeyKind::kNone:
            break;
    }
    elog(ERROR, "type %u has no keys", type);
}

KeyRange condition_range(Oid type, Oid collation, int strategy, Oid value_type, Datum value,
                         bool* exact) {
    const KeyType key = key_type(type);
    const KeyRange all{0, highest_key(key.width)};
    *exact = true;
    switch (key.kind) {
        case KeyKind::kInteger:
            return integer_range(type, strategy, integer_value(value_type, value), key.width);
        case KeyKind::kFloat4:
            *exact = false;
            return float4_range(strategy, float_value(value_type, value));
        case KeyKind::kFloat8:
            return around(float8_key(float_value(value_type, value)), strategy, 8, true);
        case KeyKind::kEnum:
            // Enum values sort by an order that ADD VALUE may change, not by their OIDs.
            if (strategy != BTEqualStrategyNumber) {
                *exact = false;
                return all;
            }
            return around(value_key(type, collation, value), strategy, key.width, true);
        case KeyKind::kText:
            *exact = false;
            if (strategy != BTEqualStrategyNumber) return all;
            return around(text_key(type, collation, value), strategy, key.width, false);
        case KeyKind::kUuid:
        case KeyKind::kNumeric:
            *exact = false;
            return around(value_key(type, collation, value), strategy, key.width, false);
        default:
            return around(value_key(type, collation, value), strategy, key.width, true);
    }
}

}  // namespace lookalike
