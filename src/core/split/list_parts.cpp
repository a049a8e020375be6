#include "core/split/list_parts.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <limits>
#include <random>
#include <utility>

#include "core/split/clusters.h"
#include "core/split/row_code.h"
#include "core/split/row_kernels.h"
#include "core/split/row_set.h"
#include "core/vector/distance.h"
#include "core/vector/signs.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

constexpr uint64_t kSampleRowsOfPart = 256;
constexpr uint64_t kSampleBytes = 16 * 1024 * 1024;
// Elements times parts that one round of k-means looks at, some milliseconds, unless that were too
// few rows of a part.
constexpr uint64_t kWorkOfRound = 40'000'000;
constexpr uint64_t kLeastRowsOfPart = 16;

// Of wide vectors so many elements are learned from: after the rotation any of them are a random
// projection. Of bits, which are not rotated, they are drawn.
constexpr uint32_t kLearnDims = 256;
constexpr uint32_t kLearnBits = 1024;
// These bits tell which few parts may be a row's nearest, and only they are compared as a whole.
constexpr uint32_t kComparedParts = 4;

// Adds each bit of a row to its count.
void count_bits(const uint8_t* code, size_t bytes, uint16_t* counts) {
    static constexpr auto kBitsOfByte = [] {
        std::array<std::array<uint16_t, 8>, 256> bits{};
        for (uint32_t byte = 0; byte < 256; ++byte)
            for (uint32_t bit = 0; bit < 8; ++bit)
                bits[byte][bit] = byte >> (7 - bit) & 1;
        return bits;
    }();
    for (size_t i = 0; i < bytes; ++i)
        for (size_t bit = 0; bit < 8; ++bit)
            counts[8 * i + bit] =
                static_cast<uint16_t>(counts[8 * i + bit] + kBitsOfByte[code[i]][bit]);
}

size_t code_bytes_of(const IndexShape& shape) {
    if (is_binary(shape.metric)) return element_bytes(Kind::kBit, shape.dims);
    return shape.refine == Refine::kNone ? row_code_bytes(shape.code_dims)
                                         : refine_bytes(shape.refine, shape.code_dims);
}

uint32_t learn_dims_of(const IndexShape& shape) {
    return is_binary(shape.metric) ? std::min(shape.dims, kLearnBits)
                                   : std::min(shape.code_dims, kLearnDims);
}

}  // namespace

ListParts::ListParts(const IndexShape& shape, const IndexSpace* space)
    : shape_(shape),
      is_binary_(is_binary(shape.metric)),
      code_bytes_(code_bytes_of(shape)),
      learn_dims_(learn_dims_of(shape)),
      encoder_(shape, space, 0),
      root_encoder_(shape, space, 1),
      rows_(size_t{kRowsAtOnce} * shape.code_dims),
      zero_(shape.code_dims) {}

uint64_t ListParts::sample_rows(uint32_t part_count) const {
    const uint64_t fitting = kSampleBytes / (code_bytes_ + sizeof(float) * learn_dims_);
    const uint64_t in_time = kWorkOfRound / (uint64_t{learn_dims_} * part_count);
    const uint64_t wanted =
        std::clamp(in_time, kLeastRowsOfPart * part_count, kSampleRowsOfPart * part_count);
    return std::max<uint64_t>(std::min(fitting, wanted), 2 * part_count);
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
    sample_.insert(sample_.end(), code, code + code_bytes_);
}

void ListParts::end_list() {
    list_ends_.push_back(sample_.size() / code_bytes_);
}

// Of wide bits some that are not the same in all rows of the sample, in order.
void ListParts::draw_bits() {
    if (!is_binary_ || shape_.dims <= kLearnBits) return;
    std::vector<uint8_t> varies(code_bytes_);
    for (size_t row = 1; row * code_bytes_ < sample_.size(); ++row)
        for (size_t i = 0; i < code_bytes_; ++i)
            varies[i] = static_cast<uint8_t>(varies[i] | (sampled(0)[i] ^ sampled(row)[i]));
    std::vector<uint32_t> bits;
    for (uint32_t bit = 0; bit < shape_.dims; ++bit)
        if (bit_at(varies.data(), bit)) bits.push_back(bit);
    if (bits.empty()) bits.push_back(0);
    learn_dims_ = static_cast<uint32_t>(std::min<size_t>(bits.size(), kLearnBits));
    std::mt19937 random(20181029);
    learn_bits_.clear();
    std::sample(bits.begin(), bits.end(), std::back_inserter(learn_bits_), learn_dims_, random);
}

std::vector<float> ListParts::learned_of(size_t first_row, size_t end_row) const {
    std::vector<float> learned((end_row - first_row) * learn_dims_);
    std::vector<float> vector(shape_.code_dims);
    float* to = learned.data();
    for (size_t row = first_row; row < end_row; ++row, to += learn_dims_) {
        if (learn_bits_.empty()) {
            decode(sampled(row), vector.data());
            std::copy_n(vector.data(), learn_dims_, to);
            continue;
        }
        for (uint32_t i = 0; i < learn_dims_; ++i)
            to[i] = bit_at(sampled(row), learn_bits_[i]) ? 1.0f : -1.0f;
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

// Of all bits, one part after the other.
void ListParts::take_majorities() {
    std::vector<std::vector<uint32_t>> rows(count_);
    for (uint32_t row = 0; row < cluster_of_.size(); ++row)
        rows[cluster_of_[row]].push_back(row);
    std::vector<float> majorities(size_t{count_} * shape_.dims);
    float* majority = majorities.data();
    std::vector<uint16_t> counts;
    for (const std::vector<uint32_t>& part : rows) {
        counts.assign(8 * code_bytes_, 0);
        for (const uint32_t row : part)
            count_bits(sampled(row), code_bytes_, counts.data());
        const auto half = static_cast<uint32_t>(part.size() / 2);
        for (uint32_t i = 0; i < shape_.dims; ++i)
            *majority++ = counts[i] > half ? 1.0f : -1.0f;
    }
    set_centroids(std::move(majorities));
}

// Of all elements.
void ListParts::take_means() {
    const uint32_t dims = shape_.code_dims;
    std::vector<double> sums(size_t{count_} * dims);
    std::vector<uint64_t> rows(count_);
    std::vector<float> vector(dims);
    for (size_t row = 0; row < cluster_of_.size(); ++row) {
        decode(sampled(row), vector.data());
        add_to_sums(vector.data(), dims, sums.data() + size_t{cluster_of_[row]} * dims);
        ++rows[cluster_of_[row]];
    }
    std::vector<float> means(sums.size());
    for (size_t i = 0; i < sums.size(); ++i) {
        const double mean = sums[i] / static_cast<double>(rows[i / dims]);
        means[i] = static_cast<float>(mean);
    }
    set_centroids(std::move(means));
}

void ListParts::set_centroids(std::vector<float> centroids) {
    centroids_ = std::move(centroids);
    are_plain_ = true;
    centroid_bits_.assign(is_binary_ ? count_ * code_bytes_ : 0, 0);
    for (uint32_t part = 0; part < count_; ++part) {
        are_plain_ = are_plain_ && is_plain({centroid(part), shape_.code_dims});
        if (is_binary_)
            signs_to_bits(centroid(part), shape_.dims, centroid_bits_.data() + part * code_bytes_);
    }
    drawn_bits_.clear();
    if (learn_bits_.empty() || count_ <= kComparedParts) return;
    const size_t bytes = element_bytes(Kind::kBit, learn_dims_);
    drawn_bits_.resize(count_ * bytes);
    for (uint32_t part = 0; part < count_; ++part)
        draw_from(centroid_bits_.data() + part * code_bytes_, drawn_bits_.data() + part * bytes);
}

void ListParts::draw_from(const uint8_t* code, uint8_t* drawn) const {
    std::fill_n(drawn, element_bytes(Kind::kBit, learn_dims_), uint8_t{0});
    for (uint32_t i = 0; i < learn_dims_; ++i) {
        const unsigned bit = bit_at(code, learn_bits_[i]);
        drawn[i / 8] = static_cast<uint8_t>(drawn[i / 8] | bit << (7 - i % 8));
    }
}

void ListParts::find(uint32_t part_count, const std::function<void()>& check) {
    draw_bits();
    std::vector<float> start;
    if (list_ends_.size() > 1 && part_count == list_ends_.size() + 1) start = start_of_lists(check);
    Clusters clusters =
        find_clusters(learned_of(0, sample_.size() / code_bytes_), learn_dims_,
                      {.count = part_count, .binary = is_binary_, .start = start}, check);
    count_ = clusters.count();
    cluster_of_ = std::move(clusters.cluster_of);
    if (count_ == 0) {
        // Nothing was in the lists. One at the mean of all rows takes what comes.
        count_ = 1;
        set_centroids(std::vector<float>(shape_.code_dims));
    } else if (learn_dims_ == shape_.code_dims) {
        set_centroids(std::move(clusters.centroids));
    } else if (is_binary_) {
        take_majorities();
    } else {
        take_means();
    }
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
    std::vector<uint8_t> sample;
    std::vector<size_t> ends;
    size_t begin = 0;
    for (uint32_t list = 0; list < list_count; ++list) {
        const size_t end = list_ends_[list];
        kept[list] = list == 0 ||
                     static_cast<double>(moving[list]) >= share * static_cast<double>(end - begin);
        if (kept[list]) {
            sample.insert(sample.end(), sampled(begin), sampled(end));
            ends.push_back(sample.size() / code_bytes_);
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
        .bits = is_binary_ ? centroid_bits_.data() + part * code_bytes_ : nullptr};
    return root_encoder_.encode(vector, zero_.data(), list);
}

uint32_t ListParts::exact_nearest(const DescriptorView& vector) const {
    uint32_t nearest = 0;
    double least = 0;
    for (uint32_t part = 0; part < count_; ++part) {
        const DescriptorView other{
            vector.kind, vector.dims,
            is_binary_ ? static_cast<const void*>(centroid_bits_.data() + part * code_bytes_)
                       : centroid(part)};
        const double distance =
            is_binary_ ? hamming_distance(vector, other) : l2_squared_distance(vector, other);
        if (part > 0 && !(distance < least)) continue;
        nearest = part;
        least = distance;
    }
    return nearest;
}

uint32_t ListParts::nearest_of_bits(const uint8_t* code) const {
    const auto distance = [](const uint8_t* a, const uint8_t* b, uint32_t bits) {
        return hamming_distance({Kind::kBit, bits, a}, {Kind::kBit, bits, b});
    };
    if (drawn_bits_.empty()) return exact_nearest({Kind::kBit, shape_.dims, code});
    uint8_t drawn[kLearnBits / 8];
    draw_from(code, drawn);
    const size_t bytes = element_bytes(Kind::kBit, learn_dims_);
    std::vector<std::pair<double, uint32_t>> parts;
    for (uint32_t part = 0; part < count_; ++part)
        parts.emplace_back(distance(drawn, drawn_bits_.data() + part * bytes, learn_dims_), part);
    std::ranges::nth_element(parts, parts.begin() + kComparedParts);
    std::pair<double, uint32_t> nearest{std::numeric_limits<double>::infinity(), 0};
    for (uint32_t i = 0; i < kComparedParts; ++i) {
        const uint32_t part = parts[i].second;
        const uint8_t* bits = centroid_bits_.data() + part * code_bytes_;
        nearest = std::min(nearest, {distance(code, bits, shape_.dims), part});
    }
    return nearest.second;
}

// Of the first rows_, kRowsAtOnce at most.
void ListParts::find_nearest(uint32_t count, uint32_t* parts) const {
    const uint32_t dims = shape_.code_dims;
    const float* rows[kRowsAtOnce];
    for (uint32_t i = 0; i < kRowsAtOnce; ++i)
        rows[i] = rows_.data() + size_t{std::min(i, count - 1)} * dims;
    uint32_t nearest[kRowsAtOnce];
    if (are_plain_) nearest_centroids(rows, centroids_.data(), count_, dims, nearest);
    for (uint32_t i = 0; i < count; ++i)
        parts[i] = are_plain_ && is_plain({rows[i], dims})
                       ? nearest[i]
                       : exact_nearest({Kind::kReal, dims, rows[i]});
}

void ListParts::assign(const uint8_t* code) {
    if (is_binary_) {
        assigned_.push_back(nearest_of_bits(code));
        return;
    }
    decode(code, rows_.data() + size_t{waiting_} * shape_.code_dims);
    if (++waiting_ == kRowsAtOnce) assigned();
}

std::span<const uint32_t> ListParts::assigned() {
    if (waiting_ > 0) {
        assigned_.resize(assigned_.size() + waiting_);
        find_nearest(waiting_, assigned_.data() + assigned_.size() - waiting_);
        waiting_ = 0;
    }
    return assigned_;
}

// What was assigned before is not touched.
uint32_t ListParts::part_of(const uint8_t* code) {
    if (is_binary_) return nearest_of_bits(code);
    assigned();
    decode(code, rows_.data());
    uint32_t part = 0;
    find_nearest(1, &part);
    return part;
}

EncodedEntry ListParts::move(EntryPointer pointer, const uint8_t* code, uint32_t part) {
    if (is_binary_)
        return encoder_.encode({.floats = nullptr, .rounding = 0, .bits = code}, centroid(part),
                               pointer);
    if (shape_.refine == Refine::kNone) return encode_row(pointer, code, part);
    return encoder_.encode_again(code, rows_.data(), centroid(part), pointer);
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
