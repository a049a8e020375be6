// codebook_features(features, codebook): what a codebook makes of local features that are there.
#include "pg/learn/codebooks.h"

#include "pg/local/value.h"
#include "pg/registry/kept_view.h"
#include "pg/run_core.h"
#include "pg/type/descriptor.h"

namespace lookalike {
namespace {

void* read_codebook(const Registered& row) {
    return read_view<CodebookView, InvalidCodebook>(row, parse_codebook);
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
