#include "core/calibration.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "core/distance_kernels.h"

namespace lookalike {
namespace {

constexpr uint32_t kMostRows = kCalibratedRows[kCalibratedRowCounts - 1];
// Bounds are not distances: somebody who wants ten rows makes the executor look at a few more.
constexpr double kRowsAhead = 30;
// Entries that the scan codes hide: what the lists promise must be a little more.
constexpr double kScanLoss = 0.005;
constexpr double kUnmeasuredGrowth = 0.4;

// Reads between the columns of the table, evenly in the logarithm of what is missing.
template <typename Value>
double value_at(const Value* row, double recall) {
    const auto missing = [](double share) { return -std::log(1 - share); };
    if (recall <= kCalibratedRecalls[0]) return row[0];
    for (uint32_t j = 1; j < kCalibratedRecallCounts; ++j) {
        if (recall > kCalibratedRecalls[j]) continue;
        const double low = missing(kCalibratedRecalls[j - 1]);
        const double high = missing(kCalibratedRecalls[j]);
        const double at = (missing(recall) - low) / (high - low);
        return row[j - 1] + at * (double{1} * row[j] - row[j - 1]);
    }
    return row[kCalibratedRecallCounts - 1];
}

// The least value that so large a share does not exceed; 0 of none. Changes their order.
float quantile(std::vector<float>* values, double share) {
    if (values->empty()) return 0;
    const double at = std::ceil(share * static_cast<double>(values->size())) - 1;
    const auto place = values->begin() + static_cast<ptrdiff_t>(std::max(at, 0.0));
    std::nth_element(values->begin(), place, values->end());
    return *place;
}

}  // namespace

float list_reach(Metric metric, float list_key, float row_key, float residual) {
    if (metric != Metric::kL2 && metric != Metric::kCosine) return list_key - row_key;
    if (!(list_key > 0) || !(residual > 0)) return 0;
    // |q - o|^2 = |q - c|^2 + |r|^2 - 2 |q - c| |r| cos, least where |r| = |q - c| cos: a list so
    // near that it need not reach that far has shorter residuals.
    if (list_key < residual - row_key) return std::sqrt(list_key / residual);
    return (list_key + residual - row_key) / (2 * std::sqrt(list_key * residual));
}

ProbePlan::ProbePlan(double probes) {
    for (uint32_t i = 0; i < kCalibratedRowCounts; ++i)
        probes_[i] =
            probes * std::pow(kCalibratedRows[i] / double{kCalibratedRows[0]}, kUnmeasuredGrowth);
}

ProbePlan::ProbePlan(const Calibration& calibration, double recall) {
    const double promised = std::min(recall + kScanLoss, (recall + 1) / 2);
    for (uint32_t i = 0; i < kCalibratedRowCounts; ++i) {
        probes_[i] = recall >= 1 ? calibration.list_count
                                 : std::max(1.0, value_at(calibration.probes[i], promised));
    }
    reach_ = value_at(calibration.reach, promised);
    reach_besides_ = value_at(calibration.reach_besides, promised);
    if (recall >= 1) reach_ = reach_besides_ = std::numeric_limits<double>::max();
    residual_ = calibration.residual;
}

void ProbePlan::start_with(double probes) {
    const double scale = probes / probes_[0];
    for (double& value : probes_)
        value *= scale;
    // Who asks for a number gets it.
    reach_ = std::numeric_limits<double>::quiet_NaN();
}

double ProbePlan::lists_for(double rows, double share) const {
    const double wanted = std::max<double>(rows - kRowsAhead, kCalibratedRows[0]) / share;
    if (wanted <= kCalibratedRows[0]) return probes_[0];
    // Beyond the table the last slope goes on.
    uint32_t i = 1;
    while (i + 1 < kCalibratedRowCounts && wanted > kCalibratedRows[i])
        ++i;
    const double slope = std::log(probes_[i] / probes_[i - 1]) /
                         std::log(static_cast<double>(kCalibratedRows[i]) / kCalibratedRows[i - 1]);
    return probes_[i] * std::pow(wanted / kCalibratedRows[i], slope);
}

Calibrator::Calibrator(Metric metric, uint32_t row_floats)
    : metric_(metric), row_floats_(row_floats), ones_(row_floats, 1.0f) {}

double share_within(const Calibration& calibration, double distance) {
    if (calibration.share_distance[kCalibratedShareCount - 1] == 0 || calibration.row_count == 0)
        return 0;
    const auto rows = static_cast<double>(calibration.row_count);
    double share = 0;
    double at = 0;
    // Between two points that were measured the share grows evenly in its logarithm.
    const auto is_beyond = [&](double next_share, double next_at) {
        if (next_share <= share) return false;
        if (share > 0) next_at = std::max(next_at, at);
        if (distance < next_at) {
            share = share == 0
                        ? next_share
                        : share * std::pow(next_share / share, (distance - at) / (next_at - at));
            return true;
        }
        share = next_share;
        at = next_at;
        return false;
    };
    for (uint32_t i = 0; i < kCalibratedRankCount && kCalibratedRanks[i] < rows; ++i)
        if (is_beyond(kCalibratedRanks[i] / rows, calibration.rank_distance[i])) return share;
    for (uint32_t i = 0; i < kCalibratedShareCount; ++i)
        if (is_beyond(kCalibratedShares[i], calibration.share_distance[i])) return share;
    return 1;
}

void Calibrator::add_query(const float* query, double mean_product) {
    queries_.insert(queries_.end(), query, query + row_floats_);
    mean_products_.push_back(mean_product);
    nearest_.emplace_back();
    nearest_.back().reserve(kMostRows + 1);
    for (auto& heaps : left_)
        heaps.emplace_back();
    sampled_.emplace_back();
    sampled_.back().reserve(kSampledRows);
}

void Calibrator::add_query(const IndexSpace& space, const float* row) {
    const SpaceQuery query = space.query(row);
    add_query(query.raw ? query.raw.get() : query.vector.get(), query.mean_product);
}

float Calibrator::key(const float* query, const float* vector) const {
    if (metric_ == Metric::kInnerProduct) return -dot(query, vector, row_floats_);
    if (metric_ != Metric::kJaccard) return l2_squared(query, vector, row_floats_);
    // Bits are -1 and 1 here.
    const float dims = static_cast<float>(row_floats_);
    const float product = dot(query, vector, row_floats_);
    const float sums =
        dot(query, ones_.data(), row_floats_) + dot(vector, ones_.data(), row_floats_);
    const float both = (dims + sums + product) / 4;
    const float either = both + (dims - product) / 2;
    return both > 0 ? 1 - both / either : 1;
}

float Calibrator::distance(size_t query, float key) const {
    if (metric_ == Metric::kHamming) return key / 4;  // bits are -1 and 1
    return static_cast<float>(key_to_distance(metric_, key - mean_products_[query]));
}

std::vector<Calibrator::Near> Calibrator::lists_by_key(size_t query) const {
    const float* vector = queries_.data() + query * row_floats_;
    std::vector<Near> order(list_count_);
    for (uint32_t list = 0; list < list_count_; ++list)
        order[list] = {key(vector, centroids_.data() + size_t{list} * row_floats_), list};
    std::sort(order.begin(), order.end());
    return order;
}

void Calibrator::set_lists(std::span<const float> centroids, uint32_t list_count) {
    centroids_ = centroids;
    list_count_ = list_count;
    is_far_.assign(query_count(), std::vector<bool>(list_count));
    for (size_t query = 0; query < query_count(); ++query) {
        const std::vector<Near> lists = lists_by_key(query);
        for (uint32_t rank = list_count / 2; rank < list_count; ++rank)
            is_far_[query][lists[rank].list] = true;
    }
}

// Every second row goes, and from now on half as many come.
void Calibrator::thin_sample() {
    for (std::vector<float>& keys : sampled_) {
        for (size_t i = 0; 2 * i < keys.size(); ++i)
            keys[i] = keys[2 * i];
        keys.resize((keys.size() + 1) / 2);
    }
    sample_step_ *= 2;
}

void Calibrator::observe(const float* vector, uint32_t list) {
    if (row_count_ == kSampledRows * sample_step_) thin_sample();
    const uint64_t row = row_count_++;
    const bool is_sampled = row % sample_step_ == 0;
    const auto keep = [](std::vector<Near>& heap, const Near& near, size_t count) {
        if (heap.size() == count && !(near < heap.front())) return;
        heap.push_back(near);
        std::push_heap(heap.begin(), heap.end());
        if (heap.size() <= count) return;
        std::pop_heap(heap.begin(), heap.end());
        heap.pop_back();
    };
    for (size_t i = 0; i < nearest_.size(); ++i) {
        const Near near{key(queries_.data() + i * row_floats_, vector), list};
        if (is_sampled) sampled_[i].push_back(near.key);
        // The query is a row itself.
        if (metric_ != Metric::kInnerProduct && near.key == 0) continue;
        keep(nearest_[i], near, kMostRows);
        for (uint32_t level = 0; level < kThinningCount; ++level) {
            if (row % kThinnings[level] == 0) keep(left_[level][i], near, kCalibratedRows[0]);
        }
        if (is_far_[i][list]) keep(left_[kFarFilter][i], near, kCalibratedRows[0]);
    }
}

Calibration Calibrator::measure() const {
    Calibration result{};
    result.query_count = static_cast<uint32_t>(nearest_.size());
    result.list_count = list_count_;
    result.row_count = row_count_;
    // found[i][p]: rows among the nearest kCalibratedRows[i] whose list is the p-th nearest.
    std::vector<std::vector<uint64_t>> found(kCalibratedRowCounts,
                                             std::vector<uint64_t>(list_count_));
    std::vector<LeftRow> left_rows[kFilterCount];
    double residuals = 0;
    std::vector<uint32_t> ranks(list_count_);
    for (size_t query = 0; query < nearest_.size(); ++query) {
        std::vector<Near> rows = nearest_[query];
        std::sort(rows.begin(), rows.end());
        const std::vector<Near> lists = lists_by_key(query);
        for (uint32_t rank = 0; rank < list_count_; ++rank)
            ranks[lists[rank].list] = rank;
        for (uint32_t filter = 0; filter < kFilterCount; ++filter) {
            const std::vector<Near>& left = left_[filter][query];
            for (const Near& row : left) {
                const uint32_t rank = ranks[row.list];
                left_rows[filter].push_back({rank, lists[rank].key, left.front().key});
            }
        }
        residuals += std::max(0.0f, lists[0].key);
        for (uint32_t i = 0; i < kCalibratedRowCounts; ++i) {
            const size_t count = std::min<size_t>(rows.size(), kCalibratedRows[i]);
            for (size_t row = 0; row < count; ++row)
                ++found[i][ranks[rows[row].list]];
        }
    }
    // A query is a row: its own distance from its centroid is a typical one.
    result.residual =
        static_cast<float>(residuals / std::max<double>(1, static_cast<double>(nearest_.size())));
    measure_distances(&result);
    for (uint32_t i = 0; i < kCalibratedRowCounts; ++i) {
        uint64_t all = 0;
        for (const uint64_t count : found[i])
            all += count;
        uint64_t so_far = 0;
        uint32_t probes = 0;
        for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j) {
            while (probes < list_count_ &&
                   static_cast<double>(so_far) < kCalibratedRecalls[j] * static_cast<double>(all)) {
                so_far += found[i][probes++];
            }
            result.probes[i][j] = std::max(probes, 1u);
        }
    }
    std::fill_n(result.reach_besides, kCalibratedRecallCounts,
                std::numeric_limits<float>::lowest());
    for (uint32_t filter = 0; filter < kFilterCount; ++filter)
        measure_reach(filter, left_rows[filter], &result);
    return result;
}

// So far that only as many of these rows are missed as each recall allows.
void Calibrator::measure_reach(uint32_t filter, const std::vector<LeftRow>& rows,
                               Calibration* result) const {
    std::vector<std::pair<float, uint32_t>> reaches;  // and ranks, the farthest first
    for (const LeftRow& row : rows) {
        reaches.emplace_back(list_reach(metric_, row.list_key, row.last_key, result->residual),
                             row.list_rank);
    }
    if (reaches.empty()) return;
    std::sort(reaches.begin(), reaches.end(), std::greater<>());
    for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j) {
        const auto missed = static_cast<size_t>((1 - kCalibratedRecalls[j]) *
                                                static_cast<double>(reaches.size() - 1));
        if (filter == kSparseFilter || filter == kFarFilter)
            result->reach[j] = std::max(result->reach[j], reaches[missed].first);
        if (filter == kFarFilter) continue;
        size_t left = missed;
        for (const auto& [reach, rank] : reaches) {
            if (rank < result->probes[0][j] || left-- > 0) continue;
            result->reach_besides[j] = std::max(result->reach_besides[j], reach);
            break;
        }
    }
}

// Near by, a typical query: few lie among many near rows, and would make the mean theirs. Far off,
// all of them.
void Calibrator::measure_distances(Calibration* result) const {
    std::vector<float> of_rank[kCalibratedRankCount];
    std::vector<float> of_pairs;
    for (size_t query = 0; query < nearest_.size(); ++query) {
        std::vector<Near> rows = nearest_[query];
        std::sort(rows.begin(), rows.end());
        for (uint32_t i = 0; i < kCalibratedRankCount; ++i) {
            const uint32_t rank = kCalibratedRanks[i];
            if (rank <= rows.size()) of_rank[i].push_back(distance(query, rows[rank - 1].key));
        }
        for (const float key : sampled_[query])
            of_pairs.push_back(distance(query, key));
    }
    for (uint32_t i = 0; i < kCalibratedRankCount; ++i)
        result->rank_distance[i] = quantile(&of_rank[i], 0.5);
    for (uint32_t i = 0; i < kCalibratedShareCount; ++i)
        result->share_distance[i] = quantile(&of_pairs, kCalibratedShares[i]);
}

}  // namespace lookalike
