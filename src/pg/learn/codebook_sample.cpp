#include "pg/learn/codebook_sample.h"

#include <algorithm>
#include <cstring>

#include "core/cluster/row_form.h"
#include "pg/learn/read_only_query.h"

extern "C" {
#include "access/htup_details.h"

Datum local_features_out(PG_FUNCTION_ARGS);
}

namespace lookalike {
namespace {

constexpr int kTellAfterMs = 10000;

bool hash_is_less(const ChosenPicture& a, const ChosenPicture& b) {
    return a.hash < b.hash;
}

/// Not by its name, which others may give to a type of theirs.
bool is_local_features(Oid type) {
    if (get_typtype(type) != TYPTYPE_BASE) return false;
    bool is_varlena;
    Oid output;
    getTypeOutputInfo(type, &output, &is_varlena);
    FmgrInfo function;
    fmgr_info(output, &function);
    return function.fn_addr == local_features_out;
}

void take_columns(TupleDesc row_type, void* argument) {
    auto* sample = static_cast<CodebookSample*>(argument);
    const Oid type =
        row_type->natts == 1 ? getBaseType(TupleDescAttr(row_type, 0)->atttypid) : InvalidOid;
    sample->are_pictures = type == BYTEAOID;
    if (!sample->are_pictures && (!OidIsValid(type) || !is_local_features(type)))
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("the query gives columns that no codebook is learned from"),
                        errhint("It gives one column: pictures (bytea) or local features.")));
}

/// Of equal pictures one, and as many as have room, those with the least hashes.
void keep_least(CodebookSample* sample) {
    ChosenPicture* begin = sample->chosen;
    ChosenPicture* end = begin + sample->count;
    std::sort(begin, end, hash_is_less);
    end = std::unique(begin, end, [](const ChosenPicture& a, const ChosenPicture& b) {
        return a.hash == b.hash;
    });
    uint64 bytes = 0;
    ChosenPicture* last = begin;
    while (last < end && last - begin < kMostPictures &&
           bytes + last->bytes <= sample->memory_bytes)
        bytes += (last++)->bytes;
    if (last < end) sample->dropped_from = Min(sample->dropped_from, last->hash);
    sample->count = static_cast<uint32>(last - begin);
}

/// What the one column holds, its hash and how long its local features are at most; false: NULL, or
/// local features without any.
bool look_at_row(CodebookSample* sample, HeapTuple tuple, TupleDesc row_type, Datum* value,
                 ChosenPicture* picture) {
    bool is_null;
    *value = heap_getattr(tuple, 1, row_type, &is_null);
    if (is_null) {
        ++sample->null_count;
        return false;
    }
    *picture = {};
    if (sample->are_pictures) {
        bytea* image = DatumGetByteaPP(*value);
        *value = PointerGetDatum(image);
        picture->hash = row_hash(VARDATA_ANY(image), VARSIZE_ANY_EXHDR(image));
        picture->bytes = local_features_bytes(sample->wish.kind, sample->wish.max_features);
    } else {
        LocalValue* features = checked_local_value(*value);
        *value = PointerGetDatum(features);
        const LocalFeatures view = features->view();
        if (view.kind() != sample->wish.kind)
            ereport(ERROR,
                    (errcode(ERRCODE_DATA_EXCEPTION),
                     errmsg("the query gives features of kind \"%s\", not \"%s\"",
                            local_kind_name(view.kind()), local_kind_name(sample->wish.kind)),
                     errhint("Say of which kind they are by the argument \"features\".")));
        picture->bytes = VARSIZE(features) - VARHDRSZ;
        picture->hash = row_hash(features->bytes, picture->bytes);
    }
    ++sample->seen;
    return true;
}

void choose_row(HeapTuple tuple, TupleDesc row_type, void* argument) {
    auto* sample = static_cast<CodebookSample*>(argument);
    Datum value;
    ChosenPicture picture;
    if (!look_at_row(sample, tuple, row_type, &value, &picture)) return;
    if (picture.hash >= sample->dropped_from) return;
    if (sample->count == 2 * kMostPictures) keep_least(sample);
    if (picture.hash < sample->dropped_from) sample->chosen[sample->count++] = picture;
}

/// The local features of a chosen row, in a context that keeps them; null where there are none.
LocalValue* features_of_row(CodebookSample* sample, Datum value) {
    auto* features = reinterpret_cast<LocalValue*>(DatumGetPointer(value));
    if (sample->are_pictures) {
        features = local_features_of(DatumGetByteaPP(value), sample->wish, true);
        if (features == nullptr) {
            ++sample->broken_count;
            return nullptr;
        }
    }
    const LocalFeatures view = features->view();
    if (view.count() == 0) {
        ++sample->empty_count;
        return nullptr;
    }
    const MemoryContext each = MemoryContextSwitchTo(GetMemoryChunkContext(sample->chosen));
    LocalValue* kept = make_local_value(view.kind(), view.count());
    memcpy(kept->bytes, features->bytes, VARSIZE(kept) - VARHDRSZ);
    MemoryContextSwitchTo(each);
    sample->feature_count += view.count();
    sample->feature_bytes += align_in_shared_area(VARSIZE(kept) - VARHDRSZ);
    ++sample->picture_count;
    return kept;
}

void read_row(HeapTuple tuple, TupleDesc row_type, void* argument) {
    auto* sample = static_cast<CodebookSample*>(argument);
    Datum value;
    ChosenPicture picture;
    if (!look_at_row(sample, tuple, row_type, &value, &picture)) return;
    ChosenPicture* end = sample->chosen + sample->count;
    ChosenPicture* found = std::lower_bound(sample->chosen, end, picture, hash_is_less);
    if (found == end || found->hash != picture.hash || found->is_taken) return;
    found->is_taken = true;
    found->value = features_of_row(sample, value);
    tell_progress(sample, "reading pictures", ++sample->read_count, sample->count);
}

}  // namespace

void tell_progress(CodebookSample* sample, const char* what, uint64 step, uint64 step_count) {
    const TimestampTz now = GetCurrentTimestamp();
    if (!TimestampDifferenceExceeds(sample->last_told, now, kTellAfterMs)) return;
    sample->last_told = now;
    ereport(NOTICE, (errmsg("codebook: %s, %d %% are done", what,
                            static_cast<int>(100 * step / Max(step_count, 1)))));
}

void sample_pictures(const char* query, CodebookSample* sample) {
    sample->chosen = static_cast<ChosenPicture*>(palloc(2 * kMostPictures * sizeof(ChosenPicture)));
    sample->dropped_from = PG_UINT64_MAX;
    sample->last_told = GetCurrentTimestamp();
    run_read_only(query, take_columns, choose_row, sample);
    keep_least(sample);
    const uint64 seen = sample->seen, null_count = sample->null_count;
    run_read_only(query, take_columns, read_row, sample);
    sample->seen = seen;
    sample->null_count = null_count;
}

}  // namespace lookalike
