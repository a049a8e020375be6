#include "am/filter/conditions.h"

#include "am/access_method.h"
#include "am/filter/attribute_key.h"
#include "pg/run_core.h"

namespace lookalike {
namespace {

// One attribute's ranges while the scan keys are read, in the current memory context.
struct Draft {
    KeyRange* ranges;
    uint32 count;
};

// All conditions on one attribute so far.
struct Gathered {
    std::vector<AttributeFilter> filters;
};

Oid column_type(Relation index, uint32 attribute) {
    return getBaseType(TupleDescAttr(index->rd_att, static_cast<int>(attribute) + 1)->atttypid);
}

KeyColumn key_column(Relation index, const AttributeWidths& widths, uint32 attribute) {
    return {column_type(index, attribute), index->rd_indcollation[attribute + 1],
            widths.width[attribute]};
}

// Every element of an IN list, or the one value of a comparison.
Draft draft_ranges(const KeyColumn& column, const ScanKeyData& key, bool* exact) {
    if (!(key.sk_flags & SK_SEARCHARRAY)) {
        Draft draft{static_cast<KeyRange*>(palloc(sizeof(KeyRange))), 1};
        const Oid value_type =
            OidIsValid(key.sk_subtype) ? getBaseType(key.sk_subtype) : column.type;
        draft.ranges[0] =
            condition_range(column, key.sk_strategy, value_type, key.sk_argument, exact);
        return draft;
    }
    ArrayType* array = DatumGetArrayTypeP(key.sk_argument);
    const Oid element_type = ARR_ELEMTYPE(array);
    int16 length;
    bool by_value;
    char alignment;
    get_typlenbyvalalign(element_type, &length, &by_value, &alignment);
    Datum* elements;
    bool* nulls;
    int count;
    deconstruct_array(array, element_type, length, by_value, alignment, &elements, &nulls, &count);
    Draft draft{static_cast<KeyRange*>(palloc(sizeof(KeyRange) * static_cast<size_t>(count + 1))),
                0};
    for (int i = 0; i < count; ++i) {
        if (nulls[i]) continue;
        bool element_exact;
        draft.ranges[draft.count++] = condition_range(
            column, key.sk_strategy, getBaseType(element_type), elements[i], &element_exact);
        *exact = *exact && element_exact;
    }
    return draft;
}

AttributeFilter& filter_of(Gathered& gathered, uint32 attribute) {
    for (AttributeFilter& filter : gathered.filters) {
        if (filter.attribute == attribute) return filter;
    }
    gathered.filters.push_back({attribute, true, {{0, std::numeric_limits<uint64_t>::max()}}});
    return gathered.filters.back();
}

// A scan goes by one sphere, the executor checks them all.
void read_sphere_condition(const ScanKeyData& key, Conditions* conditions) {
    Sphere sphere;
    if ((key.sk_flags & SK_ISNULL) || !read_sphere(key.sk_argument, &sphere)) {
        conditions->nothing = true;
        return;
    }
    ++conditions->sphere_count;
    conditions->no_null_features = true;
    if (conditions->has_sphere && !(sphere.radius < conditions->sphere.radius)) return;
    conditions->has_sphere = true;
    conditions->sphere = sphere;
}

void read_feature_condition(const ScanKeyData& key, Conditions* conditions) {
    if (key.sk_flags & SK_SEARCHNULL) conditions->only_null_features = true;
    if (key.sk_flags & SK_SEARCHNOTNULL) conditions->no_null_features = true;
    if (key.sk_strategy == kSphereStrategy) read_sphere_condition(key, conditions);
}

}  // namespace

void describe_attributes(Relation index, MetaPage* meta) {
    const int columns = IndexRelationGetNumberOfKeyAttributes(index);
    if (columns - 1 > static_cast<int>(kMaxAttributes)) {
        ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS),
                        errmsg("a faiss index cannot have more than %u filter attributes",
                               kMaxAttributes)));
    }
    meta->attribute_count = static_cast<uint32>(columns - 1);
    for (uint32 i = 0; i < meta->attribute_count; ++i) {
        const Oid type = column_type(index, i);
        if (OidIsValid(index_getprocid(index, static_cast<AttrNumber>(i + 2), kMetricProcedure))) {
            ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                            errmsg("a faiss index has one descriptor, which is its first column"),
                            errhint("Make an index for each descriptor.")));
        }
        if (key_kind(type) == KeyKind::kNone) {
            ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                            errmsg("type %s cannot be a filter attribute", format_type_be(type)),
                            errhint("Filter attributes can be boolean, integer, real, double "
                                    "precision, numeric, date, timestamp, enum, uuid and text "
                                    "columns.")));
        }
        meta->attributes[i] = {type, key_width(type, index->rd_indcollation[i + 1]), 0};
    }
}

AttributeKeys attribute_keys(Relation index, const AttributeWidths& widths, const Datum* values,
                             const bool* is_null) {
    AttributeKeys keys{};
    keys.widths = widths;
    for (uint32 i = 0; i < widths.count; ++i) {
        if (is_null[i + 1]) {
            keys.nulls |= uint32{1} << i;
        } else {
            keys.keys[i] = value_key(key_column(index, widths, i), values[i + 1]);
        }
    }
    return keys;
}

Conditions read_conditions(Relation index, const AttributeWidths& widths, const ScanKeyData* keys,
                           int key_count) {
    Conditions conditions{};
    auto* gathered = ContextOwned<Gathered>::make()->create();
    for (int i = 0; i < key_count; ++i) {
        const ScanKeyData& key = keys[i];
        if (key.sk_attno == 1) {
            read_feature_condition(key, &conditions);
            continue;
        }
        const uint32 attribute = static_cast<uint32>(key.sk_attno) - 2;
        if (key.sk_flags & (SK_SEARCHNULL | SK_SEARCHNOTNULL)) {
            const bool wants_null = (key.sk_flags & SK_SEARCHNULL) != 0;
            run_core([&] {
                AttributeFilter& filter = filter_of(*gathered, attribute);
                if (wants_null) filter.ranges.clear();
                filter.takes_null = filter.takes_null && wants_null;
            });
            continue;
        }
        if (key.sk_flags & SK_ISNULL) {
            conditions.nothing = true;
            continue;
        }
        bool exact = true;
        const Draft draft = draft_ranges(key_column(index, widths, attribute), key, &exact);
        if (!exact) conditions.recheck_attributes = true;
        run_core([&] {
            AttributeFilter& filter = filter_of(*gathered, attribute);
            filter.takes_null = false;
            filter.ranges = intersect(
                filter.ranges,
                normalize(std::vector<KeyRange>(draft.ranges, draft.ranges + draft.count)));
        });
    }
    const uint64 all = run_core([&] { return gathered->filters.size(); });
    if (all > 0) {
        conditions.filter = ContextOwned<EntryFilter>::make()->create(gathered->filters);
    }
    return conditions;
}

}  // namespace lookalike
