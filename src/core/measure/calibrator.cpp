#include "core/measure/calibrator.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "core/search/probe_plan.h"
#include "core/vector/distance_kernels.h"
#include "core/vector/signs.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// Queries that met near lists only count if these have so great a share of the first rows.
constexpr double kShareOfNearLists = 0.995;

// Where even the nearest list holds fewer of the rows that are known, the last of these stands in.
template <class Rows, class Standings>
float key_of_last_wanted(const Rows& rows, const Standings& lists, double first_lists) {
    uint32_t found = 0;
    for (const auto& row : rows) {
        found += lists[row.list].rank < first_lists;
        if (found == kFirstRows) return row.key;
    }
    return rows.back().key;
}

}  // namespace

Calibrator::Calibrator(Metric metric, uint32_t row_floats)
    : metric_(metric), row_floats_(row_floats), row_bytes_(element_bytes(Kind::kBit, row_floats)) {}

std::vector<uint8_t> Calibrator::packed(const float* signs) const {
    std::vector<uint8_t> bits(row_bytes_);
    signs_to_bits(signs, row_floats_, bits.data());
    return bits;
}

void Calibrator::add_query(const float* query, double mean_product, Meets meets) {
    const bool is_product = metric_ == Metric::kInnerProduct;
    const double length = is_product ? std::sqrt(dot(query, query, row_floats_)) : 0;
    Query added{{}, {}, mean_product, key_scale(metric_, length), {}};
    if (is_binary(metric_)) {
        added.bits = packed(query);
    } else {
        added.floats.assign(query, query + row_floats_);
    }
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

// P(q) is P(q - m) + P(m), and a rotation leaves products as they are.
void Calibrator::add_query_in_space(const IndexSpace* space, const float* vector, Meets meets) {
    if (metric_ != Metric::kInnerProduct) return add_query(vector, 0, meets);
    const std::span<const float> mean = space->mean_in_space();
    std::vector<float> raw(vector, vector + row_floats_);
    for (uint32_t i = 0; i < row_floats_; ++i)
        raw[i] += mean[i];
    add_query(raw.data(), exact_dot(raw.data(), mean.data(), row_floats_), meets);
}

float Calibrator::key(const Query& query, const Elements& vector) const {
    if (metric_ == Metric::kHamming)
        return static_cast<float>(kernels().hamming(query.bits.data(), vector.bits, row_bytes_));
    if (metric_ == Metric::kJaccard) {
        const BitCounts count = kernels().jaccard(query.bits.data(), vector.bits, row_bytes_);
        return count.both > 0
                   ? 1 - static_cast<float>(count.both) / static_cast<float>(count.either)
                   : 1;
    }
    if (metric_ == Metric::kInnerProduct)
        return -dot(query.floats.data(), vector.floats, row_floats_);
    return l2_squared(query.floats.data(), vector.floats, row_floats_);
}

float Calibrator::distance(const Query& query, float key) const {
    return static_cast<float>(key_to_distance(metric_, key - query.mean_product));
}

Calibrator::Standings Calibrator::standings(const Query& query) const {
    std::vector<Near> order(list_count_);
    for (uint32_t list = 0; list < list_count_; ++list) {
        const Elements centroid{.floats = centroids_.data() + size_t{list} * row_floats_,
                                .bits = centroid_bits_.data() + list * row_bytes_};
        order[list] = {key(query, centroid), list};
    }
    std::sort(order.begin(), order.end());
    Standings result(list_count_);
    for (uint32_t rank = 0; rank < list_count_; ++rank)
        result[order[rank].list] = {rank, order[rank].key};
    return result;
}

void Calibrator::set_lists(std::span<const float> centroids, uint32_t list_count,
                           const Check& check) {
    begin_lists(centroids, list_count);
    do {
        check();
    } while (place_query());
}

void Calibrator::begin_lists(std::span<const float> centroids, uint32_t list_count) {
    centroids_ = centroids;
    list_count_ = list_count;
    centroid_bits_.clear();
    for (uint32_t list = 0; list < list_count && is_binary(metric_); ++list) {
        const auto bits = packed(centroids.data() + size_t{list} * row_floats_);
        centroid_bits_.insert(centroid_bits_.end(), bits.begin(), bits.end());
    }
    near_of_list_.assign(list_count, {});
    placed_ = 0;
}

bool Calibrator::place_query() {
    const size_t place = placed_++;
    if (place >= full_.size() + near_.size()) return false;
    if (place < full_.size()) {
        FullQuery& query = full_[place];
        query.is_far.clear();
        for (const Standing& list : standings(query))
            query.is_far.push_back(list.rank >= list_count_ / 2);
        return true;
    }
    const size_t near = place - full_.size();
    const Standings lists = standings(near_[near]);
    for (uint32_t list = 0; list < list_count_; ++list)
        if (lists[list].rank < near_list_count(list_count_))
            near_of_list_[list].push_back(static_cast<uint32_t>(near));
    return true;
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
    if (is_binary(metric_)) {
        observe(packed(vector).data(), list);
    } else {
        observe(Elements{.floats = vector, .bits = nullptr}, list);
    }
}

void Calibrator::observe(const uint8_t* bits, uint32_t list) {
    observe(Elements{.floats = nullptr, .bits = bits}, list);
}

void Calibrator::observe(const Elements& vector, uint32_t list) {
    if (row_count_ == kSampledRows * sample_step_) thin_sample();
    const uint64_t row = row_count_++;
    const bool is_sampled = row % sample_step_ == 0;
    for (FullQuery& query : full_) {
        const Near near{key(query, vector), list};
        if (is_sampled) query.sampled.push_back(near.key);
        keep(&query.nearest, near, kMostRows);
        for (uint32_t i = 0; i < kThinningCount; ++i)
            if (row % kThinnings[i] == 0) keep(&query.left[i], near, kFirstRows);
        if (query.is_far[list]) keep(&query.left[kFarFilter], near, kFirstRows);
    }
    for (const uint32_t i : near_of_list_[list])
        keep(&near_[i].nearest, {key(near_[i], vector), list}, kFirstRows);
}

Calibration Calibrator::measure(const Check& check) const {
    Conclusion conclusion(*this);
    do {
        check();
    } while (conclusion.step());
    return conclusion.calibration();
}

// As Calibration::residual, from the key of the nearest list.
double Calibrator::residual(const Query& query, float list_key) const {
    return metric_ == Metric::kInnerProduct ? (query.mean_product - list_key) * query.key_scale
                                            : std::max(0.0f, list_key);
}

Calibrator::FoundRow Calibrator::found_row(const Query& query, Standing list, float last_key) {
    list.key *= query.key_scale;
    return {list, last_key * query.key_scale};
}

// Counts where the nearest rows lie, and keeps the first of them.
void Calibrator::add_findings(const Query& query, const Standings& lists, uint32_t row_counts,
                              Findings* findings) const {
    Nearest rows = query.nearest;
    std::sort(rows.begin(), rows.end());
    for (const Standing& list : lists)
        if (list.rank == 0) findings->residuals += residual(query, list.key);
    for (uint32_t i = 0; i < row_counts; ++i) {
        for (size_t row = 0; row < rows.size() && row < kCalibratedRows[i]; ++row)
            ++findings->rows[i][lists[rows[row].list].rank];
    }
    const std::span<const Near> first(rows.data(), std::min<size_t>(rows.size(), kFirstRows));
    for (const Near& row : first)
        findings->first.push_back(found_row(query, lists[row.list], first.back().key));
    ++findings->query_count;
}

void Calibrator::add_full_findings(const FullQuery& query, Findings* findings) const {
    const Standings lists = standings(query);
    add_findings(query, lists, kCalibratedRowCounts, findings);
    for (uint32_t filter = 0; filter < kFilterCount; ++filter) {
        const Nearest& left = query.left[filter];
        for (const Near& row : left)
            findings->left[filter].push_back(found_row(query, lists[row.list], left.front().key));
    }
}

// Where more than one in two hundred of the first rows lie beyond the near lists, queries that met
// only these do not know them, and do not count; nor can they tell what takes more than these.
bool Calibrator::near_queries_count(const Findings& of_full) const {
    return lists_with(of_full.rows[0], kShareOfNearLists) <= near_list_count(list_count_);
}

ReachedRows Calibrator::reached(std::span<const FoundRow> rows, float residual) const {
    ReachedRows result;
    result.reserve(rows.size());
    for (const FoundRow& row : rows)
        result.push_back(
            {list_reach(metric_, row.list.key, row.last_key, residual), row.list.rank});
    return result;
}

LeftRows Calibrator::left_rows(const Findings& findings, float residual) const {
    LeftRows result;
    for (uint32_t filter = 0; filter < kFilterCount; ++filter) {
        result[filter] = reached(findings.left[filter], residual);
        std::ranges::sort(result[filter], std::greater<>(), &ReachedRow::reach);
    }
    return result;
}

// As a search does: the first lists of each spread, then those that may hold the last row wanted of
// what the first hold.
ByRecall<double> Calibrator::opened_lists(const FullQuery& query,
                                          const Calibration& measured) const {
    Nearest rows = query.nearest;
    std::sort(rows.begin(), rows.end());
    const Standings lists = standings(query);
    std::vector<float> key_of_rank(list_count_);
    for (const Standing& list : lists)
        key_of_rank[list.rank] = list.key;
    ByRecall<double> opened;
    for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j) {
        const SpreadOfLists spread = spread_at(measured.probes[0], kCalibratedRecalls[j]);
        const double most = std::min(spread.most, double{1} * list_count_);
        const float row_key = rows.empty() ? 0 : key_of_last_wanted(rows, lists, spread.first);
        auto rank = static_cast<uint32_t>(std::min(spread.first, most));
        const auto may_hold = [&](uint32_t at) {
            const FoundRow wanted = found_row(query, {at, key_of_rank[at]}, row_key);
            return list_reach(metric_, wanted.list.key, wanted.last_key, measured.residual) <=
                   measured.reach_within[j];
        };
        while (rank < most && may_hold(rank))
            ++rank;
        opened[j] = rank;
    }
    return opened;
}

// `opened`: the sums of what opened_lists() says of each full query.
ByRecall<float> Calibrator::opened_share(const Calibration& measured,
                                         const ByRecall<double>& opened) const {
    ByRecall<float> result{};
    for (uint32_t j = 0; j < kCalibratedRecallCounts && !full_.empty(); ++j) {
        const SpreadOfLists spread = spread_at(measured.probes[0], kCalibratedRecalls[j]);
        const double further = std::max(spread.most - spread.first, 1.0);
        const double mean = opened[j] / static_cast<double>(full_.size());
        result[j] = static_cast<float>(std::max(0.0, mean - spread.first) / further);
    }
    return result;
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

Calibrator::Conclusion::Conclusion(const Calibrator& calibrator) : calibrator_(calibrator) {
    of_full_.rows.fill(RowsByRank(calibrator.list_count_));
}

bool Calibrator::Conclusion::step() {
    const std::vector<FullQuery>& full = calibrator_.full_;
    const std::vector<Query>& near = calibrator_.near_;
    if (stage_ == Stage::kFull && next_ == full.size()) start_near();
    if (stage_ == Stage::kNear && next_ == near.size()) summarize();
    const size_t query = next_++;
    if (stage_ == Stage::kFull) {
        calibrator_.add_full_findings(full[query], &of_full_);
    } else if (stage_ == Stage::kNear) {
        calibrator_.add_findings(near[query], calibrator_.standings(near[query]), 1, &all_);
    } else if (query < full.size()) {
        const ByRecall<double> opened = calibrator_.opened_lists(full[query], result_);
        for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j)
            opened_[j] += opened[j];
    } else {
        result_.opened_share = calibrator_.opened_share(result_, opened_);
        return false;
    }
    return true;
}

void Calibrator::Conclusion::start_near() {
    all_ = of_full_;
    stage_ = Stage::kNear;
    next_ = calibrator_.near_queries_count(of_full_) ? 0 : calibrator_.near_.size();
}

// All but what takes another look at the full queries.
void Calibrator::Conclusion::summarize() {
    stage_ = Stage::kOpened;
    next_ = 0;
    result_.query_count = all_.query_count;
    result_.list_count = calibrator_.list_count_;
    result_.row_count = calibrator_.row_count_;
    result_.probes = probe_table(all_.rows, of_full_.rows[0]);
    result_.residual =
        static_cast<float>(all_.residuals / std::max(1.0, double{1} * all_.query_count));
    const float residual = result_.residual;
    const ByRecall<uint32_t>& first = result_.probes[0];
    result_.reach_within =
        reach_within_spread(calibrator_.reached(all_.first, residual),
                            calibrator_.reached(of_full_.first, residual), first);
    const LeftRows left = calibrator_.left_rows(of_full_, residual);
    result_.reach = reach_alone(left);
    result_.reach_besides = reach_besides_spread(left, first, result_.reach_within);
    const NeighbourDistances distances = calibrator_.neighbour_distances();
    result_.rank_distance = distances.of_ranks();
    result_.share_distance = distances.of_shares();
}

}  // namespace lookalike
