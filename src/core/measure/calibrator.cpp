#include "core/measure/calibrator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/measure/query_kernel.h"
#include "core/vector/distance_kernels.h"
#include "core/vector/signs.h"

#include "core/no_postgres.h"

namespace lookalike {

Calibrator::Calibrator(Metric metric, uint32_t row_floats)
    : metric_(metric),
      row_floats_(row_floats),
      row_bytes_(element_bytes(Kind::kBit, row_floats)),
      full_tile_(metric, row_floats),
      nearest_(0, kMostRows, true),
      near_nearest_(0, kFirstRows, true),
      entered_tile_(metric, row_floats) {}

std::vector<uint8_t> Calibrator::packed(const float* signs) const {
    std::vector<uint8_t> bits(row_bytes_);
    signs_to_bits(signs, row_floats_, bits.data());
    return bits;
}

void Calibrator::add_query(const float* query, double mean_product, Meets meets) {
    const bool is_product = metric_ == Metric::kInnerProduct;
    const double length = is_product ? std::sqrt(dot(query, query, row_floats_)) : 0;
    const Query added{mean_product, key_scale(metric_, length)};
    const std::vector<uint8_t> bits = is_binary(metric_) ? packed(query) : std::vector<uint8_t>();
    if (meets == Meets::kAllRows) {
        full_.push_back(added);
        full_tile_.add({query, bits.data()});
        return;
    }
    near_.push_back(added);
    if (is_binary(metric_)) {
        near_bits_.insert(near_bits_.end(), bits.begin(), bits.end());
    } else {
        near_floats_.insert(near_floats_.end(), query, query + row_floats_);
    }
}

Elements Calibrator::near_elements(size_t near) const {
    return {near_floats_.data() + near * row_floats_, near_bits_.data() + near * row_bytes_};
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

Calibrator::Standings Calibrator::standings(const Elements& query) const {
    std::vector<NearRow> order(list_count_);
    for (uint32_t list = 0; list < list_count_; ++list) {
        const Elements centroid{centroids_.data() + size_t{list} * row_floats_,
                                centroid_bits_.data() + list * row_bytes_};
        order[list] = {row_key(metric_, query, centroid, row_floats_), list};
    }
    std::sort(order.begin(), order.end());
    Standings result(list_count_);
    for (uint32_t rank = 0; rank < list_count_; ++rank)
        result[order[rank].list] = {rank, order[rank].key};
    return result;
}

Calibrator::Standings Calibrator::standings_of_full(size_t full) const {
    const std::vector<float> floats = full_tile_.floats_of(full);
    return standings({floats.data(), full_tile_.bits_of(full)});
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
    start_observing();
}

void Calibrator::start_observing() {
    const bool skips_zero = metric_ != Metric::kInnerProduct;  // a query is a row itself
    const size_t places = full_tile_.place_count();
    row_count_ = 0;
    keys_.assign(places * QueryTile::kMostRows, 0);
    nearest_ = NearestRows(full_.size(), kMostRows, skips_zero);
    left_.clear();
    for (uint32_t filter = 0; filter < kFilterCount; ++filter)
        left_.emplace_back(full_.size(), kFirstRows, skips_zero);
    is_far_.assign(list_count_ * query_block_count(full_.size()), 0);
    sampled_keys_.clear();
    sample_step_ = 1;
    near_nearest_ = NearestRows(near_.size(), kFirstRows, skips_zero);
    entered_list_ = kNoList;
}

bool Calibrator::place_query() {
    const size_t place = placed_++;
    if (place >= full_.size() + near_.size()) return false;
    if (place < full_.size()) {
        const size_t blocks = query_block_count(full_.size());
        const size_t block = place / kQueriesSideBySide;
        const Standings lists = standings_of_full(place);
        for (uint32_t list = 0; list < list_count_; ++list)
            if (lists[list].rank >= list_count_ / 2)
                is_far_[list * blocks + block] |= 1U << place % kQueriesSideBySide;
        return true;
    }
    const size_t near = place - full_.size();
    const Standings lists = standings(near_elements(near));
    for (uint32_t list = 0; list < list_count_; ++list)
        if (lists[list].rank < near_list_count(list_count_))
            near_of_list_[list].push_back(static_cast<uint32_t>(near));
    return true;
}

// When there are enough, every second row goes, and from now on half as many come.
void Calibrator::sample_keys(const float* keys) {
    const size_t count = full_.size();
    if (row_count_ == kSampledRows * sample_step_) {
        for (size_t row = 0; 2 * row * count < sampled_keys_.size(); ++row)
            std::copy_n(sampled_keys_.begin() + 2 * row * count, count,
                        sampled_keys_.begin() + row * count);
        sampled_keys_.resize(kSampledRows / 2 * count);
        sample_step_ *= 2;
    }
    if (row_count_ % sample_step_ == 0)
        sampled_keys_.insert(sampled_keys_.end(), keys, keys + count);
}

void Calibrator::enter_list(uint32_t list) {
    if (list == entered_list_) return;
    entered_list_ = list;
    entered_tile_.clear();
    for (const uint32_t near : near_of_list_[list])
        entered_tile_.add(near_elements(near));
    const size_t places = entered_tile_.place_count();
    entered_keys_.assign(places * QueryTile::kMostRows, 0);
    below_.assign(query_block_count(entered_tile_.size()), 0);
    entered_limits_.assign(places, -std::numeric_limits<float>::infinity());
    for (size_t i = 0; i < entered_tile_.size(); ++i)
        entered_limits_[i] = near_nearest_.limit(near_of_list_[list][i]);
}

void Calibrator::observe(const float* vector, uint32_t list) {
    const std::vector<uint8_t> bits = is_binary(metric_) ? packed(vector) : std::vector<uint8_t>();
    const Row row{{vector, bits.data()}, list};
    observe_some({&row, 1});
}

void Calibrator::observe(std::span<const Row> rows) {
    for (; !rows.empty(); rows = rows.subspan(std::min(rows.size(), QueryTile::kMostRows)))
        observe_some(rows.first(std::min(rows.size(), QueryTile::kMostRows)));
}

void Calibrator::observe_some(std::span<const Row> rows) {
    Elements elements[QueryTile::kMostRows];
    bool are_entered = true;
    for (size_t i = 0; i < rows.size(); ++i) {
        elements[i] = rows[i].elements;
        are_entered = are_entered && rows[i].list == entered_list_;
    }
    const std::span<const Elements> seen(elements, rows.size());
    const size_t full_places = full_tile_.place_count();
    const size_t near_places = entered_tile_.place_count();
    if (full_places > 0) full_tile_.keys(seen, keys_.data());
    if (are_entered && near_places > 0) entered_tile_.keys(seen, entered_keys_.data());
    for (size_t i = 0; i < rows.size(); ++i) {
        if (full_places > 0) pass_full(keys_.data() + i * full_places, rows[i].list);
        if (!are_entered) {
            meet_near_queries(rows[i]);
        } else if (near_places > 0) {
            pass_near(entered_keys_.data() + i * near_places, rows[i].list);
        }
        ++row_count_;
    }
}

void Calibrator::pass_full(const float* keys, uint32_t list) {
    sample_keys(keys);
    nearest_.pass(keys, list);
    for (uint32_t i = 0; i < kThinningCount; ++i)
        if (row_count_ % kThinnings[i] == 0) left_[i].pass(keys, list);
    const size_t blocks = query_block_count(full_.size());
    left_[kFarFilter].pass(keys, list, is_far_.data() + list * blocks);
}

// The near queries of the list that was entered, side by side.
void Calibrator::pass_near(const float* keys, uint32_t list) {
    const std::vector<uint32_t>& queries = near_of_list_[list];
    find_below(keys, entered_limits_.data(), below_.size(), below_.data());
    for_each_bit(below_, [&](size_t i) {
        near_nearest_.pass(queries[i], {keys[i], list});
        entered_limits_[i] = near_nearest_.limit(queries[i]);
    });
}

// Those of any other list, one after the other.
void Calibrator::meet_near_queries(const Row& row) {
    for (const uint32_t near : near_of_list_[row.list])
        near_nearest_.pass(
            near, {row_key(metric_, near_elements(near), row.elements, row_floats_), row.list});
}

}  // namespace lookalike
