// codebook_features(features, codebook): what a codebook makes of local features that are there.
#include "pg/learn/codebooks.h"

#include <cstring>

#include "pg/local/value.h"
#include "pg/registry/kept.h"
#include "pg/run_core.h"
#include "pg/type/descriptor.h"

extern "C" {
#include "utils/memutils.h"
}

namespace lookalike {
namespace {

struct Parsed {
    CodebookView view;
    char fault[64];  ///< empty: none
};

Parsed parse(std::span<const std::byte> bytes) {
    Parsed parsed{};
    try {
        parsed.view = parse_codebook(bytes);
    } catch (const InvalidCodebook& fault) {
        strlcpy(parsed.fault, fault.what(), sizeof(parsed.fault));
    }
    return parsed;
}

/// A CodebookView of its bytes, which are copied.
void* read_codebook(const Registered& row) {
    bytea* data = DatumGetByteaPP(row.data);
    const size_t length = VARSIZE_ANY_EXHDR(data);
    auto* bytes = static_cast<std::byte*>(MemoryContextAllocHuge(CurrentMemoryContext, length + 1));
    memcpy(bytes, VARDATA_ANY(data), length);
    const Parsed parsed = run_core([&] { return parse({bytes, length}); });
    if (parsed.fault[0] != '\0')
        ereport(ERROR,
                (errcode(ERRCODE_DATA_EXCEPTION),
                 errmsg("codebook \"%s\" is damaged: %s", registered_key(row), parsed.fault)));
    auto* view = static_cast<CodebookView*>(palloc(sizeof(CodebookView)));
    *view = parsed.view;
    return view;
}

constexpr KeptKind kKeptCodebooks{.kind = kCodebookKind,
                                  .read = read_codebook,
                                  .missing_hint = "Learn it with train_codebook()."};

}  // namespace

const CodebookView& registered_codebook(const char* key, size_t key_bytes) {
    return *static_cast<const CodebookView*>(kept_registered(kKeptCodebooks, key, key_bytes));
}

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(codebook_features) {
    const LocalFeatures features = local_argument(fcinfo, 0)->view();
    text* key = PG_GETARG_TEXT_PP(1);
    const CodebookView& codebook = registered_codebook(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key));
    if (features.kind() != codebook.header.kind)
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                        errmsg("codebook \"%s\" takes features of kind \"%s\", not \"%s\"",
                               text_to_cstring(key), local_kind_name(codebook.header.kind),
                               local_kind_name(features.kind()))));
    Descriptor* result = make_descriptor(Kind::kReal, codebook.header.dims);
    run_core([&] { describe_by_words(codebook, features, result->reals(), throw_if_cancelled); });
    PG_RETURN_POINTER(result);
}
