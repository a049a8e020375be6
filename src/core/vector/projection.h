// A linear map that has been learned from marks: what the registry keeps of it, and its use.
//
//     bytes 0..15    ProjectionHeader
//     then           dims_in x dims_out floats: what dimension i of a descriptor adds to each
//                    dimension of the result
//     then           dims_out floats: the result of the zero vector
//
// Numbers are in native byte order, which is little-endian wherever this runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace lookalike {

/// Descriptors of more dimensions are not projected: learning takes the square of them in memory,
/// and its cube in time.
constexpr uint32_t kMaxProjectedDims = 4096;

constexpr uint32_t kProjectionMagic = 0x504b414c;  // "LAKP"
constexpr uint16_t kProjectionVersion = 1;

struct ProjectionHeader {
    uint32_t magic;
    uint16_t version;
    uint16_t reserved;  ///< 0
    uint32_t dims_in;
    uint32_t dims_out;
};
static_assert(sizeof(ProjectionHeader) == 16);

/// Bytes that stand for such a projection are wrong.
class InvalidProjection : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Does not own its numbers.
struct ProjectionView {
    uint32_t dims_in;
    uint32_t dims_out;
    const float* rows;    ///< dims_in x dims_out
    const float* offset;  ///< dims_out
};

/// Bytes of a projection.
constexpr size_t projection_bytes(uint64_t dims_in, uint64_t dims_out) {
    return sizeof(ProjectionHeader) + (dims_in + 1) * dims_out * sizeof(float);
}

/// What the bytes say. Throws InvalidProjection. REQUIRES: aligned as float.
ProjectionView parse_projection(std::span<const std::byte> bytes);

/// result = offset + the sum over i of from[i] * row i, added up in the order of i and rounded
/// after each step: the same on every processor. `from` has dims_in elements, `result` room for
/// dims_out.
void project(const ProjectionView& projection, const float* from, float* result);

}  // namespace lookalike
