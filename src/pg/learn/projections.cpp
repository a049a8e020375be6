#include "pg/learn/projections.h"

#include "pg/registry/kept_view.h"

namespace lookalike {
namespace {

void* read_projection(const Registered& row) {
    return read_view<ProjectionView, InvalidProjection>(row, parse_projection);
}

constexpr KeptKind kKeptProjections{.kind = kProjectionKind,
                                    .read = read_projection,
                                    .missing_hint = "Learn it with train_projection()."};

bool is_space(char letter) {
    return letter == ' ' || letter == '\t' || letter == '\n' || letter == '\r';
}

/// Elements as floats: those of the descriptor, or a copy.
const float* floats_of(const DescriptorView& features) {
    if (features.kind == Kind::kReal) return features.reals();
    auto* floats = static_cast<float*>(palloc(sizeof(float) * features.dims));
    for (uint32 i = 0; i < features.dims; ++i)
        floats[i] = element_at(features, i);
    return floats;
}

}  // namespace

const ProjectionView& registered_projection(const char* key, size_t key_bytes) {
    return *static_cast<const ProjectionView*>(kept_registered(kKeptProjections, key, key_bytes));
}

Descriptor* projected(const Descriptor* features, const char* key, size_t key_bytes) {
    const DescriptorView from = features->view();
    check_numeric(from, "projection");
    const ProjectionView& projection = registered_projection(key, key_bytes);
    if (from.dims != projection.dims_in)
        ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
                        errmsg("projection \"%s\" takes %u dimensions, not %u",
                               pnstrdup(key, key_bytes), projection.dims_in, from.dims)));
    Descriptor* result = make_descriptor(from.kind, projection.dims_out);
    const bool is_real = from.kind == Kind::kReal;
    float* floats = is_real ? result->reals()
                            : static_cast<float*>(palloc(sizeof(float) * projection.dims_out));
    project(projection, floats_of(from), floats);
    for (uint32 i = 0; i < projection.dims_out; ++i)
        store_result(result, i, floats[i]);
    return result;
}

size_t split_off_projection(const char* spec, size_t spec_bytes, const char** key,
                            size_t* key_bytes) {
    *key = nullptr;
    *key_bytes = 0;
    size_t place = spec_bytes;
    while (place > 0 && spec[place - 1] != '>')
        --place;
    if (place == 0) return spec_bytes;
    const char* begin = spec + place;
    const char* end = spec + spec_bytes;
    while (begin < end && is_space(*begin))
        ++begin;
    while (end > begin && is_space(end[-1]))
        --end;
    *key = begin;
    *key_bytes = static_cast<size_t>(end - begin);
    return place - 1;
}

}  // namespace lookalike

using namespace lookalike;

SQL_FUNCTION(project) {
    text* key = PG_GETARG_TEXT_PP(1);
    PG_RETURN_POINTER(
        projected(descriptor_argument(fcinfo, 0), VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)));
}
