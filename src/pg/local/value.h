// Local features as PostgreSQL stores them, and what every SQL function on them needs.
#pragma once

#include "pg/server.h"

#include "core/local/local_features.h"

namespace lookalike {

/// The varlena: its header, then what core/local/local_features.h describes.
struct LocalValue {
    int32 varlena_header;
    uint8 bytes[FLEXIBLE_ARRAY_MEMBER];

    LocalFeatures view() const { return view_local_features(bytes); }
};

/// In CurrentMemoryContext, its bytes not yet written.
LocalValue* make_local_value(LocalKind kind, uint32 count);

/// Detoasted and checked.
LocalValue* checked_local_value(Datum datum);

/// The argument `index` of a SQL function, detoasted and checked.
LocalValue* local_argument(FunctionCallInfo fcinfo, int index);

/// The same, and kept where it is the same from call to call: the query of a search. `value` lives
/// until the next call.
LocalValue* kept_local_argument(FunctionCallInfo fcinfo, int index);

/// A value of the features that `chosen` numbers.
LocalValue* chosen_features(const LocalFeatures& features, const uint32* chosen, uint32 count);

/// Raises unless the two can be compared.
void check_same_kind(const LocalFeatures& a, const LocalFeatures& b);

/// The kind that a text names; raises when there is none of that name.
LocalKind local_kind_of(const text* name);

}  // namespace lookalike
