#include "core/vector/projection.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/no_postgres.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/vector/projection.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lookalike::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

// Results that lie side by side, four vectors of them: as many sums run beside each other.
HWY_INLINE void project_four(const ProjectionView& projection, const float* HWY_RESTRICT from,
                             size_t first, float* HWY_RESTRICT result) {
    const Floats floats;
    const size_t lanes = hn::Lanes(floats);
    auto a = hn::LoadU(floats, projection.offset + first);
    auto b = hn::LoadU(floats, projection.offset + first + lanes);
    auto c = hn::LoadU(floats, projection.offset + first + 2 * lanes);
    auto d = hn::LoadU(floats, projection.offset + first + 3 * lanes);
    const float* row = projection.rows + first;
    for (uint32_t i = 0; i < projection.dims_in; ++i, row += projection.dims_out) {
        const auto factor = hn::Set(floats, from[i]);
        a = hn::Add(a, hn::Mul(factor, hn::LoadU(floats, row)));
        b = hn::Add(b, hn::Mul(factor, hn::LoadU(floats, row + lanes)));
        c = hn::Add(c, hn::Mul(factor, hn::LoadU(floats, row + 2 * lanes)));
        d = hn::Add(d, hn::Mul(factor, hn::LoadU(floats, row + 3 * lanes)));
    }
    hn::StoreU(a, floats, result + first);
    hn::StoreU(b, floats, result + first + lanes);
    hn::StoreU(c, floats, result + first + 2 * lanes);
    hn::StoreU(d, floats, result + first + 3 * lanes);
}

HWY_INLINE void project_one(const ProjectionView& projection, const float* HWY_RESTRICT from,
                            size_t first, float* HWY_RESTRICT result) {
    const Floats floats;
    auto sum = hn::LoadU(floats, projection.offset + first);
    const float* row = projection.rows + first;
    for (uint32_t i = 0; i < projection.dims_in; ++i, row += projection.dims_out)
        sum = hn::Add(sum, hn::Mul(hn::Set(floats, from[i]), hn::LoadU(floats, row)));
    hn::StoreU(sum, floats, result + first);
}

void project_vector(const ProjectionView& projection, const float* HWY_RESTRICT from,
                    float* HWY_RESTRICT result) {
    const size_t step = 4 * hn::Lanes(Floats());
    size_t next = 0;
    for (; next + step <= projection.dims_out; next += step)
        project_four(projection, from, next, result);
    for (; next + hn::Lanes(Floats()) <= projection.dims_out; next += hn::Lanes(Floats()))
        project_one(projection, from, next, result);
    for (; next < projection.dims_out; ++next) {
        float sum = projection.offset[next];
        const float* row = projection.rows + next;
        for (uint32_t i = 0; i < projection.dims_in; ++i, row += projection.dims_out)
            sum += from[i] * *row;
        result[next] = sum;
    }
}

}  // namespace
}  // namespace lookalike::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lookalike {

HWY_EXPORT(project_vector);

ProjectionView parse_projection(std::span<const std::byte> bytes) {
    ProjectionHeader header{};
    if (bytes.size() < sizeof(header)) throw InvalidProjection("it is too short");
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.magic != kProjectionMagic) throw InvalidProjection("it is none");
    if (header.version != kProjectionVersion || header.reserved != 0)
        throw InvalidProjection("its version is unknown");
    if (header.dims_in < 1 || header.dims_in > kMaxProjectedDims || header.dims_out < 1 ||
        header.dims_out > kMaxProjectedDims)
        throw InvalidProjection("its dimensions are out of range");
    if (bytes.size() != projection_bytes(header.dims_in, header.dims_out))
        throw InvalidProjection("its length is wrong");
    const auto* numbers = reinterpret_cast<const float*>(bytes.data() + sizeof(header));
    const size_t count = (size_t{header.dims_in} + 1) * header.dims_out;
    if (!std::all_of(numbers, numbers + count, [](float x) { return std::isfinite(x); }))
        throw InvalidProjection("it holds numbers that are not finite");
    return {.dims_in = header.dims_in,
            .dims_out = header.dims_out,
            .rows = numbers,
            .offset = numbers + size_t{header.dims_in} * header.dims_out};
}

void project(const ProjectionView& projection, const float* from, float* result) {
    HWY_DYNAMIC_DISPATCH(project_vector)(projection, from, result);
}

}  // namespace lookalike
#endif
