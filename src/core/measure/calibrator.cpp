#include "core/measure/calibrator.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "core/vector/distance_kernels.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// The first so many lists that have this share of what was found in all; at least one.
uint32_t lists_with(const std::vector<uint64_t>& found, double share) {
    const auto all = std::accumulate(found.begin(), found.end(), uint64_t{0});
    uint64_t so_far = found.empty() ? 0 : found[0];
    uint32_t count = 1;
    while (count < found.size() && static_cast<double>(so_far) < share * static_cast<double>(all))
        so_far += found[count++];
    return count;
}

}  // namespace

Calibrator::Calibrator(Metric metric, uint32_t row_floats)
    : metric_(metric), row_floats_(row_floats), ones_(row_floats, 1.0f) {}

void Calibrator::add_query(const float* query, double mean_product, Meets meets) {
    Query added{{query, query + row_floats_}, mean_product, {}};
    if (meets == Meets::kNearLists) {
        near_.push_back(std::move(added));
        return;
    }
    added.nearest.reserve(kMostRows + 1);
    full_.push_back({std::move(added), {}, {}, {}});
    full_.back().sampled.reserve(kSampledRows);
}

void Calibrator::add_query(const IndexSpace* space, const float* row, Meets meets) {
    if (space == nullptr) return add_query(row, 0, meets);
    const SpaceQuery query = space->query(row);
    add_query(query.raw ? query.raw.get() : query.vector.get(), query.mean_product, meets);
}

float Calibrator::key(const float* query, const float* vector) const {
    if (metric_ == Metric::kInnerProduct) return -dot(query, vector, row_floats_);
    // Bits are -1 and 1 here.
    if (metric_ == Metric::kHamming) return l2_squared(query, vector, row_floats_) / 4;
    if (metric_ != Metric::kJaccard) return l2_squared(query, vector, row_floats_);
    const float dims = static_cast<float>(row_floats_);
    const float product = dot(query, vector, row_floats_);
    const float sums =
        dot(query, ones_.data(), row_floats_) + dot(vector, ones_.data(), row_floats_);
    const float both = (dims + sums + product) / 4;
    const float either = both + (dims - product) / 2;
    return both > 0 ? 1 - both / either : 1;
}

float Calibrator::distance(const Query& query, float key) const {
    return static_cast<float>(key_to_distance(metric_, key - query.mean_product));
}

std::vector<Calibrator::Standing> Calibrator::standings(const Query& query) const {
    std::vector<Near> order(list_count_);
    for (uint32_t list = 0; list < list_count_; ++list) {
        const float* centroid = centroids_.data() + size_t{list} * row_floats_;
        order[list] = {key(query.vector.data(), centroid), list};
    }
    std::sort(order.begin(), order.end());
    std::vector<Standing> result(list_count_);
    for (uint32_t rank = 0; rank < list_count_; ++rank)
        result[order[rank].list] = {rank, order[rank].key};
    return result;
}

void Calibrator::set_lists(std::span<const float> centroids, uint32_t list_count,
                           const Check& check) {
    centroids_ = centroids;
    list_count_ = list_count;
    for (FullQuery& query : full_) {
        check();
        query.is_far.clear();
        for (const Standing& list : standings(query))
            query.is_far.push_back(list.rank >= list_count / 2);
    }
    near_of_list_.assign(list_count, {});
    for (uint32_t i = 0; i < near_.size(); ++i) {
        check();
        const std::vector<Standing> lists = standings(near_[i]);
        for (uint32_t list = 0; list < list_count; ++list)
            if (lists[list].rank < near_list_count(list_count)) near_of_list_[list].push_back(i);
    }
}

// Every second row goes, and from now on half as many come.
void Calibrator::thin_sample() {
    for (FullQuery& query : full_) {
        std::vector<float>& keys = query.sampled;
        for (size_t i = 0; 2 * i < keys.size(); ++i)
            keys[i] = keys[2 * i];
        keys.resize((keys.size() + 1) / 2);
    }
    sample_step_ *= 2;
}

void Calibrator::keep(Nearest* heap, const Near& near, size_t count) const {
    // The query is a row itself.
    if (metric_ != Metric::kInnerProduct && near.key == 0) return;
    if (heap->size() == count && !(near < heap->front())) return;
    heap->push_back(near);
    std::push_heap(heap->begin(), heap->end());
    if (heap->size() <= count) return;
    std::pop_heap(heap->begin(), heap->end());
    heap->pop_back();
}

void Calibrator::observe(const float* vector, uint32_t list) {
    if (row_count_ == kSampledRows * sample_step_) thin_sample();
    const uint64_t row = row_count_++;
    const bool is_sampled = row % sample_step_ == 0;
    for (FullQuery& query : full_) {
        const Near near{key(query.vector.data(), vector), list};
        if (is_sampled) query.sampled.push_back(near.key);
        keep(&query.nearest, near, kMostRows);
        for (uint32_t i = 0; i < kThinningCount; ++i)
            if (row % kThinnings[i] == 0) keep(&query.left[i], near, kFirstRows);
        if (query.is_far[list]) keep(&query.left[kFarFilter], near, kFirstRows);
    }
    for (const uint32_t i : near_of_list_[list])
        keep(&near_[i].nearest, {key(near_[i].vector.data(), vector), list}, kFirstRows);
}

Calibration Calibrator::measure(const Check& check) const {
    Calibration result{};
    result.list_count = list_count_;
    result.row_count = row_count_;
    FoundRows left[kFilterCount];
    measure_probes(&result, left, check);
    measure_reach(left, &result);
    const NeighbourDistances distances = neighbour_distances();
    result.rank_distance = distances.of_ranks();
    result.share_distance = distances.of_shares();
    return result;
}

// Where more than one in two hundred of the ten nearest lie beyond the near lists, queries that met
// only these do not know them, and do not count; nor can they tell what takes more than these. Also
// collects what the filters leave.
void Calibrator::measure_probes(Calibration* result, FoundRows left[kFilterCount],
                                const Check& check) const {
    // found[i][p]: rows among the nearest kCalibratedRows[i] whose list is the p-th nearest.
    std::vector<uint64_t> found[kCalibratedRowCounts];
    std::fill_n(found, kCalibratedRowCounts, std::vector<uint64_t>(list_count_));
    FoundRows found_rows;
    double residuals = 0;
    const auto count = [&](const Query& query, uint32_t row_counts) {
        check();
        Nearest rows = query.nearest;
        std::sort(rows.begin(), rows.end());
        const std::vector<Standing> lists = standings(query);
        for (const Standing& list : lists)
            if (list.rank == 0) residuals += std::max(0.0f, list.key);
        for (uint32_t i = 0; i < row_counts; ++i) {
            for (size_t row = 0; row < rows.size() && row < kCalibratedRows[i]; ++row)
                ++found[i][lists[rows[row].list].rank];
        }
        const std::span<const Near> first(rows.data(), std::min<size_t>(rows.size(), kFirstRows));
        for (const Near& row : first)
            found_rows.push_back({lists[row.list], first.back().key});
        ++result->query_count;
        return lists;
    };
    for (const FullQuery& query : full_) {
        const std::vector<Standing> lists = count(query, kCalibratedRowCounts);
        for (uint32_t filter = 0; filter < kFilterCount; ++filter) {
            for (const Near& row : query.left[filter])
                left[filter].push_back({lists[row.list], query.left[filter].front().key});
        }
    }
    const std::vector<uint64_t> by_full = found[0];
    const size_t of_full = found_rows.size();
    if (lists_with(found[0], 0.995) <= near_list_count(list_count_)) {
        for (const Query& query : near_)
            count(query, 1);
    }
    // A query is a row: its own distance from its centroid is a typical one.
    result->residual =
        static_cast<float>(residuals / std::max(1.0, double{1} * result->query_count));
    for (uint32_t i = 0; i < kCalibratedRowCounts; ++i) {
        for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j) {
            const double recall = kCalibratedRecalls[j];
            uint32_t lists = lists_with(found[i], recall);
            if (i == 0 && recall >= 0.99) lists = std::max(lists, lists_with(by_full, recall));
            // More rows never take fewer lists.
            if (i > 0) lists = std::max(lists, result->probes[i - 1][j]);
            result->probes[i][j] = lists;
        }
    }
    measure_reach_within(found_rows, std::span(found_rows).first(of_full), result);
}

// What the first lists do not hold must come from those that reach far enough. Recalls are read
// between the columns: so where no list is in question, as from the next column.
void Calibrator::measure_reach_within(std::span<const FoundRow> rows,
                                      std::span<const FoundRow> of_full,
                                      Calibration* result) const {
    const auto measure = [&](std::span<const FoundRow> measured, double recall, float beyond) {
        const SpreadOfLists spread = spread_at(result->probes[0], recall);
        auto missing = static_cast<int64_t>(std::ceil(recall * double{1} * measured.size()));
        std::vector<float> reaches;
        for (const FoundRow& row : measured) {
            if (row.list.rank < spread.first)
                --missing;
            else if (row.list.rank < spread.most)
                reaches.push_back(reach_of(row, *result));
        }
        const int64_t place = std::max<int64_t>(missing - 1, 0);
        if (place >= static_cast<int64_t>(reaches.size()))
            return missing > 0 ? std::numeric_limits<float>::max() : beyond;
        std::nth_element(reaches.begin(), reaches.begin() + place, reaches.end());
        return reaches[static_cast<size_t>(place)];
    };
    for (uint32_t j = kCalibratedRecallCounts; j-- > 0;) {
        const double recall = kCalibratedRecalls[j];
        float& reach = result->reach_within[j];
        const float beyond = j + 1 < kCalibratedRecallCounts ? result->reach_within[j + 1]
                                                             : std::numeric_limits<float>::max();
        reach = measure(rows, recall, beyond);
        if (recall >= 0.99) reach = std::max(reach, measure(of_full, recall, beyond));
    }
}

// So far that only as many of the rows that a filter leaves are missed as each recall allows.
void Calibrator::measure_reach(const FoundRows left[kFilterCount], Calibration* result) const {
    result->reach.fill(std::numeric_limits<float>::lowest());
    result->reach_besides.fill(std::numeric_limits<float>::lowest());
    float least = std::numeric_limits<float>::max();
    for (uint32_t filter = 0; filter < kFilterCount; ++filter) {
        std::vector<std::pair<float, uint32_t>>
            rows;  // their reaches, and the ranks of their lists
        for (const FoundRow& row : left[filter])
            rows.emplace_back(reach_of(row, *result), row.list.rank);
        if (rows.empty()) continue;
        std::sort(rows.begin(), rows.end(), std::greater<>());
        least = std::min(least, rows.back().first);
        for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j) {
            const SpreadOfLists spread = spread_at(result->probes[0], kCalibratedRecalls[j]);
            const auto missed = static_cast<size_t>((1 - kCalibratedRecalls[j]) *
                                                    static_cast<double>(rows.size() - 1));
            if (filter == kSparseFilter || filter == kFarFilter)
                result->reach[j] = std::max(result->reach[j], rows[missed].first);
            if (filter == kFarFilter) continue;
            size_t may_miss = missed;
            for (const auto& [reach, rank] : rows) {
                const bool is_open =
                    rank < spread.first || (rank < spread.most && reach <= result->reach_within[j]);
                if (is_open || may_miss-- > 0) continue;
                result->reach_besides[j] = std::max(result->reach_besides[j], reach);
                break;
            }
        }
    }
    // Where nothing lies beyond the spread; a mean with another column must have a value.
    for (float& reach : result->reach_besides)
        reach = std::max(reach, least);
}

NeighbourDistances Calibrator::neighbour_distances() const {
    NeighbourDistances distances;
    const auto as_distances = [this](const FullQuery& query, std::span<const float> keys) {
        std::vector<float> result;
        for (const float key : keys)
            result.push_back(distance(query, key));
        return result;
    };
    for (const FullQuery& query : full_) {
        std::vector<float> keys;
        for (const Near& row : query.nearest)
            keys.push_back(row.key);
        std::sort(keys.begin(), keys.end());
        distances.add_query(as_distances(query, keys), as_distances(query, query.sampled));
    }
    return distances;
}

}  // namespace lookalike
