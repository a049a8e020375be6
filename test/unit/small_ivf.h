// A small inverted-file index in memory, built from the index's own parts: what recall and speed
// the codes give without pages, WAL or an executor. For tests and benchmarks.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "core/code/refine_code.h"
#include "core/code/scan_code.h"
#include "core/search/candidate_window.h"
#include "core/vector/distance.h"
#include "core/vector/distance_kernels.h"

namespace lookalike {

/// `count` vectors of `dims` floats, one after the other.
struct Vectors {
    uint32_t dims = 0;
    std::vector<float> elements;
    size_t count() const { return dims == 0 ? 0 : elements.size() / dims; }
    const float* operator[](size_t i) const { return &elements[i * dims]; }
    float* operator[](size_t i) { return &elements[i * dims]; }
};

/// Points around `center_count` random centres, drawn with `seed`; equal center_seed, equal
/// centres.
inline Vectors clustered_vectors(uint32_t dims, size_t count, size_t center_count,
                                 uint64_t center_seed, uint64_t seed) {
    std::mt19937_64 random(center_seed);
    std::normal_distribution<float> normal;
    std::vector<float> centers(center_count * dims);
    for (float& element : centers)
        element = normal(random);
    random.seed(seed);
    Vectors vectors{dims, std::vector<float>(count * dims)};
    for (size_t i = 0; i < count; ++i) {
        const float* center = &centers[random() % center_count * dims];
        for (uint32_t d = 0; d < dims; ++d)
            vectors[i][d] = center[d] + 0.5f * normal(random);
    }
    return vectors;
}

/// Images of Debian's dataset-fashion-mnist: "train" (60,000) or "t10k" (10,000), 784 dimensions.
/// Empty when the package is not installed.
inline Vectors fashion_mnist(const std::string& part, size_t limit) {
    const std::string path = "/usr/share/datasets/fashion-mnist/" + part + "-images-idx3-ubyte.gz";
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(
        popen(("gzip -dc " + path + " 2>/dev/null").c_str(), "r"), pclose);
    uint8_t header[16];
    Vectors vectors;
    if (!pipe || fread(header, 1, sizeof header, pipe.get()) != sizeof header) return vectors;
    vectors.dims = 784;
    std::vector<uint8_t> image(vectors.dims);
    while (vectors.count() < limit &&
           fread(image.data(), 1, image.size(), pipe.get()) == image.size())
        vectors.elements.insert(vectors.elements.end(), image.begin(), image.end());
    return vectors;
}

inline double row_distance(Metric metric, const float* a, const float* b, uint32_t dims) {
    const DescriptorView left{Kind::kReal, dims, a};
    const DescriptorView right{Kind::kReal, dims, b};
    if (metric == Metric::kInnerProduct) return -inner_product(left, right);
    return metric == Metric::kL2 ? l2_distance(left, right) : cosine_distance(left, right);
}

/// What a search cost.
struct SearchCost {
    size_t scanned = 0;
    size_t refined = 0;
    size_t rows = 0;  ///< handed to the executor, which computes their distances
    double coarse_us = 0;
    double scan_us = 0;  ///< with the window
    double refine_us = 0;
};

class SmallIvf {
  public:
    SmallIvf(Metric metric, const Vectors& rows, size_t list_count, uint64_t seed = 1)
        : rows_(rows), space_(metric, rows.dims, seed, mean_of(metric, rows)) {
        Vectors in_space{space_.padded_dims(),
                         std::vector<float>(rows.count() * space_.padded_dims())};
        std::vector<double> rounding(rows.count());
        for (size_t i = 0; i < rows.count(); ++i)
            rounding[i] = space_.to_space(rows[i], in_space[i]);
        learn_centroids(in_space, list_count);
        lists_.resize(list_count);
        slot_bytes_ = refine_bytes(Refine::kInt8, space_.padded_dims());
        slots_.resize(rows.count() * slot_bytes_);
        for (size_t i = 0; i < rows.count(); ++i) {
            add(in_space[i], i);
            encode_refine(Refine::kInt8, in_space[i], space_.padded_dims(), rounding[i],
                          &slots_[i * slot_bytes_]);
        }
    }

    /// The ids of the `k` nearest rows of the `probes` nearest lists, nearest first, in the way in
    /// which an index scan streams them and an executor sorts them again.
    std::vector<uint64_t> search(const float* raw_query, size_t k, size_t probes, double epsilon,
                                 SearchCost& cost) {
        const SpaceQuery space_query = space_.query(raw_query);
        const auto start = Clock::now();
        const ScanQuery scan(space_query, epsilon);
        std::vector<std::pair<float, size_t>> order;
        std::vector<ScanTerms> terms(lists_.size());
        for (size_t list = 0; list < lists_.size(); ++list) {
            terms[list] = scan.terms(centroids_[list]);
            order.emplace_back(terms[list].list_term, list);
        }
        probes = std::min(probes, order.size());
        std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(probes),
                          order.end());
        const auto scan_start = Clock::now();
        window_.clear();
        for (size_t probe = 0; probe < probes; ++probe)
            scan_list(scan, order[probe].second, terms[order[probe].second], cost);
        const auto refine_start = Clock::now();
        std::vector<uint64_t> found = best_first(raw_query, space_query, k, cost);
        const auto end = Clock::now();
        cost.coarse_us += microseconds(scan_start - start);
        cost.scan_us += microseconds(refine_start - scan_start);
        cost.refine_us += microseconds(end - refine_start);
        return found;
    }

  private:
    static constexpr size_t kFirstCandidates = 32;

    using Clock = std::chrono::steady_clock;
    using Row = std::pair<double, uint64_t>;
    using Queue = std::priority_queue<Row, std::vector<Row>, std::greater<>>;

    struct Block {
        std::vector<uint8_t> codes;
        float base[kBlockEntries];
        float scale[kBlockEntries];
        float error[kBlockEntries];
    };
    struct List {
        std::vector<Block> blocks;
        std::vector<uint64_t> ids;
    };

    static double microseconds(Clock::duration duration) {
        return std::chrono::duration<double, std::micro>(duration).count();
    }

    static std::vector<float> mean_of(Metric metric, const Vectors& rows) {
        std::vector<double> sum(rows.dims);
        for (size_t i = 0; i < rows.count(); ++i) {
            const double norm =
                metric == Metric::kCosine ? std::sqrt(exact_dot(rows[i], rows[i], rows.dims)) : 1;
            for (uint32_t d = 0; d < rows.dims; ++d)
                sum[d] += rows[i][d] / norm;
        }
        std::vector<float> mean(rows.dims);
        for (uint32_t d = 0; d < rows.dims; ++d)
            mean[d] = static_cast<float>(sum[d] / static_cast<double>(rows.count()));
        return mean;
    }

    size_t nearest_centroid(const float* vector) const {
        size_t best = 0;
        float best_distance = std::numeric_limits<float>::infinity();
        for (size_t list = 0; list < centroids_.count(); ++list) {
            const float distance = l2_squared(vector, centroids_[list], centroids_.dims);
            if (distance < best_distance) {
                best = list;
                best_distance = distance;
            }
        }
        return best;
    }

    /// Lloyd's algorithm on a sample of 40 a list.
    void learn_centroids(const Vectors& vectors, size_t list_count) {
        const uint32_t dims = vectors.dims;
        centroids_.dims = dims;
        std::mt19937_64 random(1);
        std::vector<size_t> sample(std::min(vectors.count(), 40 * list_count));
        for (size_t& row : sample)
            row = random() % vectors.count();
        for (size_t list = 0; list < list_count; ++list)
            centroids_.elements.insert(centroids_.elements.end(), vectors[sample[list]],
                                       vectors[sample[list]] + dims);
        for (int round = 0; round < 6; ++round) {
            std::vector<double> sums(list_count * dims);
            std::vector<size_t> counts(list_count);
            for (const size_t row : sample) {
                const size_t list = nearest_centroid(vectors[row]);
                ++counts[list];
                for (uint32_t d = 0; d < dims; ++d)
                    sums[list * dims + d] += vectors[row][d];
            }
            for (size_t list = 0; list < list_count; ++list)
                for (uint32_t d = 0; d < dims && counts[list] > 0; ++d)
                    centroids_[list][d] = static_cast<float>(sums[list * dims + d] /
                                                             static_cast<double>(counts[list]));
        }
    }

    void add(const float* vector, uint64_t id) {
        const size_t list_id = nearest_centroid(vector);
        List& list = lists_[list_id];
        const size_t entry = list.ids.size() % kBlockEntries;
        const size_t groups = space_.padded_dims() / kDimsPerGroup;
        if (entry == 0) {
            list.blocks.emplace_back();
            list.blocks.back().codes.resize(groups * kGroupBytes);
        }
        Block& block = list.blocks.back();
        std::vector<uint8_t> signs(scan_code_bytes(space_.padded_dims()));
        const ScanFactors factors =
            encode_scan_code(space_, vector, centroids_[list_id], signs.data());
        set_code(block.codes.data(), entry, signs.data(), groups);
        block.base[entry] = factors.base;
        block.scale[entry] = factors.scale;
        block.error[entry] = factors.error;
        list.ids.push_back(id);
    }

    void scan_list(const ScanQuery& scan, size_t list_id, const ScanTerms& terms,
                   SearchCost& cost) {
        const List& list = lists_[list_id];
        for (size_t i = 0; i < list.blocks.size(); ++i) {
            const Block& block = list.blocks[i];
            alignas(64) float bounds[kBlockEntries];
            const uint32_t near = scan_block(scan.table(), block.codes.data(), scan.group_count(),
                                             {block.base, block.scale, block.error}, terms,
                                             window_.limit().bound, bounds);
            const size_t left = list.ids.size() - i * kBlockEntries;
            const uint32_t valid = left >= 32 ? 0xffffffffu : (1u << left) - 1;
            window_.push_block(bounds, near & valid, uint64_t{list_id} << 32 | i * kBlockEntries);
        }
        cost.scanned += list.ids.size();
    }

    std::vector<uint64_t> best_first(const float* raw_query, const SpaceQuery& space_query,
                                     size_t k, SearchCost& cost) {
        const RefineQuery refine(space_query);
        Queue refined;
        Queue rows;
        std::span<const Candidate> candidates = window_.best(kFirstCandidates);
        size_t next = 0;
        double last_bound = -std::numeric_limits<double>::infinity();
        std::vector<uint64_t> found;
        while (found.size() < k) {
            if (!rows.empty() && rows.top().first <= last_bound) {
                found.push_back(rows.top().second);
                rows.pop();
                continue;
            }
            while (next < candidates.size() &&
                   (refined.empty() || candidates[next].bound < refined.top().first)) {
                const uint64_t place = candidates[next++].id;
                const uint64_t id = lists_[place >> 32].ids[place & 0xffffffff];
                refined.emplace(refine.lower_bound(Refine::kInt8, &slots_[id * slot_bytes_]).key,
                                id);
                ++cost.refined;
                if (next == candidates.size()) candidates = window_.best(2 * next);
            }
            if (refined.empty() && rows.empty()) break;
            if (refined.empty()) {
                last_bound = std::numeric_limits<double>::infinity();
                continue;
            }
            const auto [key, id] = refined.top();
            refined.pop();
            last_bound = key_to_distance(space_query.metric, key);
            rows.emplace(row_distance(space_query.metric, rows_[id], raw_query, rows_.dims), id);
            ++cost.rows;
        }
        return found;
    }

    const Vectors& rows_;
    IndexSpace space_;
    Vectors centroids_;
    std::vector<List> lists_;
    size_t slot_bytes_ = 0;
    std::vector<uint8_t> slots_;
    CandidateWindow window_;
};

inline std::vector<uint64_t> exact_nearest(Metric metric, const Vectors& rows, const float* query,
                                           size_t k) {
    std::vector<std::pair<double, uint64_t>> all;
    for (size_t i = 0; i < rows.count(); ++i)
        all.emplace_back(row_distance(metric, rows[i], query, rows.dims), i);
    std::partial_sort(all.begin(), all.begin() + static_cast<ptrdiff_t>(k), all.end());
    std::vector<uint64_t> ids;
    for (size_t i = 0; i < k; ++i)
        ids.push_back(all[i].second);
    return ids;
}

inline size_t common_ids(std::vector<uint64_t> a, std::vector<uint64_t> b) {
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    std::vector<uint64_t> common;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
    return common.size();
}

}  // namespace lookalike
