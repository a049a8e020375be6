// KeptKind::read of what is a view of the row's bytes.
#pragma once

extern "C" {
#include "utils/memutils.h"
}

#include <cstddef>
#include <cstring>
#include <span>

#include "pg/registry/kept.h"
#include "pg/run_core.h"

namespace lookalike {

/// A View of the row's bytes, which are copied. `parse` gives it, or throws Invalid.
template <typename View, typename Invalid>
View* read_view(const Registered& row, View (*parse)(std::span<const std::byte>)) {
    bytea* data = DatumGetByteaPP(row.data);
    const size_t length = VARSIZE_ANY_EXHDR(data);
    auto* bytes = static_cast<std::byte*>(MemoryContextAllocHuge(CurrentMemoryContext, length + 1));
    memcpy(bytes, VARDATA_ANY(data), length);
    struct Parsed {
        View view;
        char fault[64];  // empty: none
    };
    const Parsed parsed = run_core([&] {
        Parsed result{};
        try {
            result.view = parse({bytes, length});
        } catch (const Invalid& fault) {
            strlcpy(result.fault, fault.what(), sizeof(result.fault));
        }
        return result;
    });
    if (parsed.fault[0] != '\0')
        ereport(ERROR,
                (errcode(ERRCODE_DATA_EXCEPTION),
                 errmsg("%s \"%s\" is damaged: %s", row.kind, registered_key(row), parsed.fault)));
    auto* view = static_cast<View*>(palloc(sizeof(View)));
    *view = parsed.view;
    return view;
}

}  // namespace lookalike
