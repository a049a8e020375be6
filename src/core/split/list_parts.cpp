#include "core/split/list_parts.h"

#include <algorithm>
#include <cstring>

#include "core/split/clusters.h"
#include "core/split/row_code.h"
#include "core/split/row_kernels.h"
#include "core/vector/distance.h"
#include "core/vector/signs.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

constexpr uint64_t kSampleRowsOfPart = 256;
constexpr uint64_t kSampleBytes = 16 * 1024 * 1024;

// Of wide vectors so many elements are learned from: after the rotation any of them are a random
// projection.
constexpr uint32_t kLearnDims = 256;

}  // namespace

ListParts::ListParts(const IndexShape& shape, const IndexSpace* space)
    : shape_(shape),
      is_binary_(is_binary(shape.metric)),
      learn_dims_(is_binary_ ? shape.dims : std::min(shape.code_dims, kLearnDims)),
      encoder_(shape, space, 0),
      root_encoder_(shape, space, 1),
      vector_(shape.code_dims),
      bit_bytes_(is_binary_ ? element_bytes(Kind::kBit, shape.dims) : 0),
      zero_(shape.code_dims) {}

uint64_t ListParts::sample_rows(uint32_t part_count) const {
    const uint64_t fitting = kSampleBytes / (sizeof(float) * shape_.code_dims);
    return std::min(kSampleRowsOfPart * part_count, std::max<uint64_t>(fitting, 2 * part_count));
}

void ListParts::decode(const uint8_t* code, float* vector) const {
    if (is_binary_) {
        bits_to_signs(code, shape_.dims, vector);
    } else if (shape_.refine == Refine::kNone) {
        std::copy_n(row_code_vector(code), shape_.code_dims, vector);
    } else {
        if (!decode_refine(shape_.refine, code, shape_.code_dims, vector))
            std::fill_n(vector, shape_.code_dims, 0.0f);
    }
}

void ListParts::add_to_sample(const uint8_t* code) {
    decode(code, vector_.data());
    sample_.insert(sample_.end(), vector_.begin(), vector_.end());
}

void ListParts::end_list() {
    list_ends_.push_back(sample_.size() / shape_.code_dims);
}

std::vector<float> ListParts::learned_of(size_t first_row, size_t end_row) const {
    std::vector<float> learned;
    learned.reserve((end_row - first_row) * learn_dims_);
    for (size_t row = first_row; row < end_row; ++row) {
        const auto from = sample_.begin() + static_cast<ptrdiff_t>(row * shape_.code_dims);
        learned.insert(learned.end(), from, from + learn_dims_);
    }
    return learned;
}

// The halves of the first list, and the middles of the others.
std::vector<float> ListParts::start_of_lists(const std::function<void()>& check) const {
    std::vector<float> start;
    size_t begin = 0;
    for (const size_t end : list_ends_) {
        const std::vector<float> rows = learned_of(begin, end);
        const uint32_t count = begin == 0 ? 2 : 1;
        const Clusters clusters =
            find_clusters(rows, learn_dims_, {.count = count, .binary = is_binary_}, check);
        start.insert(start.end(), clusters.centroids.begin(), clusters.centroids.end());
        begin = end;
    }
    return start;
}

// Of all elements. Bits are learned from whole.
void ListParts::take_means() {
    std::vector<double> sums(centroids_.size());
    std::vector<uint64_t> rows(count_);
    for (size_t row = 0; row < cluster_of_.size(); ++row) {
        add_to_sums(sample_.data() + row * shape_.code_dims, shape_.code_dims,
                    sums.data() + size_t{cluster_of_[row]} * shape_.code_dims);
        ++rows[cluster_of_[row]];
    }
    for (size_t i = 0; i < sums.size(); ++i)
        centroids_[i] =
            static_cast<float>(sums[i] / static_cast<double>(rows[i / shape_.code_dims]));
}

void ListParts::find(uint32_t part_count, const std::function<void()>& check) {
    std::vector<float> start;
    if (list_ends_.size() > 1 && part_count == list_ends_.size() + 1) start = start_of_lists(check);
    const size_t row_count = sample_.size() / shape_.code_dims;
    const Clusters clusters =
        find_clusters(learned_of(0, row_count), learn_dims_,
                      {.count = part_count, .binary = is_binary_, .start = start}, check);
    count_ = clusters.count();
    cluster_of_ = clusters.cluster_of;
    if (learn_dims_ == shape_.code_dims) {
        centroids_ = clusters.centroids;
    } else {
        centroids_.resize(size_t{count_} * shape_.code_dims);
        take_means();
    }
    if (count_ == 0) {
        // Nothing was in the lists. One at the mean of all rows takes what comes.
        count_ = 1;
        centroids_.assign(shape_.code_dims, 0);
    }
    centroid_bits_.resize(count_ * bit_bytes_);
    for (uint32_t part = 0; part < count_ && is_binary_; ++part)
        signs_to_bits(centroid(part), shape_.dims, centroid_bits_.data() + part * bit_bytes_);
}

// Of each list the rows of the sample that leave it, and those that come. Its own part comes behind
// the two of the first list.
std::vector<uint64_t> ListParts::rows_that_move() const {
    std::vector<uint64_t> moving(list_ends_.size());
    size_t row = 0;
    for (size_t list = 0; list < list_ends_.size(); ++list) {
        for (; row < list_ends_[list]; ++row) {
            const size_t to = std::max<size_t>(cluster_of_[row], 1) - 1;
            if (to == list) continue;
            ++moving[list];
            ++moving[to];
        }
    }
    return moving;
}

uint32_t ListParts::leave_out_settled(double share, bool* kept) {
    const auto list_count = static_cast<uint32_t>(list_ends_.size());
    std::fill_n(kept, list_count, true);
    if (count_ != list_count + 1) return list_count;
    const std::vector<uint64_t> moving = rows_that_move();
    std::vector<float> sample;
    std::vector<size_t> ends;
    size_t begin = 0;
    for (uint32_t list = 0; list < list_count; ++list) {
        const size_t end = list_ends_[list];
        kept[list] = list == 0 ||
                     static_cast<double>(moving[list]) >= share * static_cast<double>(end - begin);
        if (kept[list]) {
            sample.insert(sample.end(),
                          sample_.begin() + static_cast<ptrdiff_t>(begin * shape_.code_dims),
                          sample_.begin() + static_cast<ptrdiff_t>(end * shape_.code_dims));
            ends.push_back(sample.size() / shape_.code_dims);
        }
        begin = end;
    }
    sample_ = std::move(sample);
    list_ends_ = std::move(ends);
    return static_cast<uint32_t>(list_ends_.size());
}

EncodedEntry ListParts::root_entry(uint32_t part, EntryPointer list) {
    const EntryVector vector{
        .floats = is_binary_ ? nullptr : centroid(part),
        .rounding = 0,
        .bits = is_binary_ ? centroid_bits_.data() + part * bit_bytes_ : nullptr};
    return root_encoder_.encode(vector, zero_.data(), list);
}

uint32_t ListParts::nearest_part(const DescriptorView& vector) const {
    uint32_t nearest = 0;
    double least = 0;
    for (uint32_t part = 0; part < count_; ++part) {
        const DescriptorView other{
            vector.kind, vector.dims,
            is_binary_ ? static_cast<const void*>(centroid_bits_.data() + part * bit_bytes_)
                       : centroid(part)};
        const double distance =
            is_binary_ ? hamming_distance(vector, other) : l2_squared_distance(vector, other);
        if (part > 0 && !(distance < least)) continue;
        nearest = part;
        least = distance;
    }
    return nearest;
}

uint32_t ListParts::part_of(const uint8_t* code) {
    if (is_binary_) return nearest_part({Kind::kBit, shape_.dims, code});
    decode(code, vector_.data());
    return nearest_part({Kind::kReal, shape_.code_dims, vector_.data()});
}

EncodedEntry ListParts::move(EntryPointer pointer, const uint8_t* code, uint32_t part) {
    if (is_binary_)
        return encoder_.encode({.floats = nullptr, .rounding = 0, .bits = code}, centroid(part),
                               pointer);
    if (shape_.refine == Refine::kNone) return encode_row(pointer, code, part);
    return encoder_.encode_again(code, vector_.data(), centroid(part), pointer);
}

// The squared distance of the vector is the row's and that of what it has besides, about. The bound
// does not know of that error: without refine codes nobody asks for more than the estimate.
EncodedEntry ListParts::encode_row(EntryPointer pointer, const uint8_t* code, uint32_t part) {
    const RowCodeHeader& header = row_code_header(code);
    EncodedEntry entry = encoder_.encode({.floats = row_code_vector(code),
                                          .rounding = double{header.rounding} + header.besides,
                                          .bits = nullptr},
                                         centroid(part), pointer);
    if (shape_.metric != Metric::kInnerProduct)
        entry.factors.base -= header.besides * header.besides;
    return entry;
}

}  // namespace lookalike
