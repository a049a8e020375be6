#include "am/build/entry_sort.h"

extern "C" {
#include "access/tupdesc.h"
#include "catalog/pg_operator_d.h"
}

#include <cstring>

namespace lookalike {
namespace {

// How an entry lies in a sorted tuple.
struct PackedEntry {
    ScanFactors factors;
    float radius;
    uint32_t nulls;
    uint8_t bytes[FLEXIBLE_ARRAY_MEMBER];  // attribute keys, code, refine code
};

TupleDesc tuple_descriptor() {
    TupleDesc descriptor = CreateTemplateTupleDesc(3);
    TupleDescInitEntry(descriptor, 1, "list", INT4OID, -1, 0);
    TupleDescInitEntry(descriptor, 2, "row", INT8OID, -1, 0);
    TupleDescInitEntry(descriptor, 3, "entry", BYTEAOID, -1, 0);
    return descriptor;
}

void put_tuple(EntrySort* sort, int32 list_key, EntryPointer pointer) {
    ++sort->entry_count;
    TupleTableSlot* slot = sort->put_slot;
    ExecClearTuple(slot);
    slot->tts_values[0] = Int32GetDatum(list_key);
    slot->tts_values[1] = Int64GetDatum(static_cast<int64>(pointer.block()) << 16 | pointer.offset);
    slot->tts_values[2] = PointerGetDatum(sort->packed);
    memset(slot->tts_isnull, 0, 3);
    ExecStoreVirtualTuple(slot);
    tuplesort_puttupleslot(sort->sort, slot);
}

}  // namespace

EntrySort* start_entry_sort(const ListGeometry& leaf, uint64 memory_bytes) {
    auto* sort = static_cast<EntrySort*>(palloc0(sizeof(EntrySort)));
    AttrNumber columns[] = {1, 2};
    Oid operators[] = {Int4LessOperator, Int8LessOperator};
    Oid collations[] = {InvalidOid, InvalidOid};
    bool nulls_first[] = {false, false};
    sort->sort =
        tuplesort_begin_heap(tuple_descriptor(), 2, columns, operators, collations, nulls_first,
                             static_cast<int>(memory_bytes / 1024), nullptr, 0);
    sort->put_slot = MakeSingleTupleTableSlot(tuple_descriptor(), &TTSOpsVirtual);
    sort->get_slot = MakeSingleTupleTableSlot(tuple_descriptor(), &TTSOpsMinimalTuple);
    sort->attributes.widths = leaf.attributes;
    sort->key_bytes = leaf.attributes.count * static_cast<uint32>(sizeof(uint64_t));
    sort->code_bytes = leaf.row_code_bytes;
    sort->refine_bytes =
        leaf.slot_bytes == 0 ? 0 : leaf.slot_bytes - uint32{sizeof(RefineSlotHeader)};
    const Size packed_bytes = VARHDRSZ + offsetof(PackedEntry, bytes) + sort->key_bytes +
                              sort->code_bytes + sort->refine_bytes;
    sort->packed = static_cast<bytea*>(palloc0(packed_bytes));
    SET_VARSIZE(sort->packed, packed_bytes);
    return sort;
}

void put_entry(EntrySort* sort, uint32 list, const EncodedEntry& entry) {
    auto* packed = reinterpret_cast<PackedEntry*>(VARDATA(sort->packed));
    packed->factors = entry.factors;
    packed->radius = entry.radius;
    uint8_t* to = packed->bytes;
    if (sort->key_bytes > 0) {
        packed->nulls = entry.attributes->nulls;
        memcpy(to, entry.attributes->keys, sort->key_bytes);
        to += sort->key_bytes;
    }
    memcpy(to, entry.code, sort->code_bytes);
    if (sort->refine_bytes > 0) memcpy(to + sort->code_bytes, entry.refine, sort->refine_bytes);
    put_tuple(sort, static_cast<int32>(list), entry.pointer);
}

// What its tuple says of a code is whatever was put in before: nobody looks there.
void put_plain_entry(EntrySort* sort, int32 list_key, EntryPointer pointer) {
    put_tuple(sort, list_key, pointer);
}

void sort_entries(EntrySort* sort) {
    tuplesort_performsort(sort->sort);
    next_sorted(sort);
}

void next_sorted(EntrySort* sort) {
    TupleTableSlot* slot = sort->get_slot;
    sort->at_end = !tuplesort_gettupleslot(sort->sort, true, false, slot, nullptr);
    if (sort->at_end) return;
    slot_getallattrs(slot);
    sort->list = DatumGetInt32(slot->tts_values[0]);
    const int64 row = DatumGetInt64(slot->tts_values[1]);
    EncodedEntry* entry = &sort->entry;
    entry->pointer =
        entry_pointer(static_cast<uint32_t>(row >> 16), static_cast<uint16_t>(row & 0xffff));
    const auto* bytes =
        reinterpret_cast<const uint8_t*>(VARDATA_ANY(DatumGetPointer(slot->tts_values[2])));
    memcpy(&entry->factors, bytes, sizeof(ScanFactors));
    memcpy(&entry->radius, bytes + offsetof(PackedEntry, radius), sizeof(float));
    memcpy(&sort->attributes.nulls, bytes + offsetof(PackedEntry, nulls), sizeof(uint32_t));
    const uint8_t* from = bytes + offsetof(PackedEntry, bytes);
    memcpy(sort->attributes.keys, from, sort->key_bytes);
    entry->attributes = &sort->attributes;
    entry->code = from + sort->key_bytes;
    entry->refine = entry->code + sort->code_bytes;
}

void end_entry_sort(EntrySort* sort) {
    ExecDropSingleTupleTableSlot(sort->put_slot);
    ExecDropSingleTupleTableSlot(sort->get_slot);
    tuplesort_end(sort->sort);
}

}  // namespace lookalike
