#include "learn/assign.h"

#include <algorithm>
#include <cstdint>

namespace lookalike {
namespace {

/// Rows handed to FAISS at once: it wants 12 bytes a row for its answer.
constexpr size_t kChunkRows = 16384;

float squared_distance(const float* a, const float* b, size_t dims) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t d = 0; d < dims; ++d)
        sum += (a[d] - b[d]) * (a[d] - b[d]);
    return sum;
}

}  // namespace

Assigner::Assigner(std::span<const float> centroids, size_t dims)
    : index_(static_cast<int64_t>(dims)) {
    check_rows({centroids.data(), centroids.size() / dims, dims});
    index_.add(static_cast<int64_t>(centroids.size() / dims), centroids.data());
}

void Assigner::assign(const RowsView& rows, std::span<uint32_t> list_ids,
                      std::span<float> distances) const {
    const float* centroids = index_.get_xb();
    std::vector<int64_t> labels(std::min(kChunkRows, rows.row_count));
    for (size_t start = 0; start < rows.row_count; start += kChunkRows) {
        const size_t count = std::min(kChunkRows, rows.row_count - start);
        const RowsView chunk{rows.row(start), count, rows.dims};
        check_rows(chunk);
        // FAISS computes |x|^2 + |c|^2 - 2 x.c, whose last digits cancel: only its choice is used.
        index_.search(static_cast<int64_t>(count), chunk.values, 1, &distances[start],
                      labels.data());
#pragma omp parallel for
        for (size_t i = 0; i < count; ++i) {
            const auto list_id = static_cast<size_t>(labels[i]);
            list_ids[start + i] = static_cast<uint32_t>(list_id);
            distances[start + i] =
                squared_distance(chunk.row(i), centroids + list_id * rows.dims, rows.dims);
        }
    }
}

}  // namespace lookalike
