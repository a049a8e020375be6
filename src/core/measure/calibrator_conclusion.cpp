#include "core/measure/calibrator.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "core/search/probe_plan.h"

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// Queries that met near lists only count if these have so great a share of the first rows.
constexpr double kShareOfNearLists = 0.995;

// Where even the nearest list holds fewer of the rows that are known, the last of these stands in.
template <class Standings>
float key_of_last_wanted(std::span<const NearRow> rows, const Standings& lists,
                         double first_lists) {
    uint32_t found = 0;
    for (const NearRow& row : rows) {
        found += lists[row.list].rank < first_lists;
        if (found == kFirstRows) return row.key;
    }
    return rows.back().key;
}

}  // namespace

float Calibrator::distance(const Query& query, float key) const {
    return static_cast<float>(key_to_distance(metric_, key - query.mean_product));
}

Calibration Calibrator::measure(const Check& check) {
    Conclusion conclusion(this);
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
void Calibrator::add_findings(const Query& query, std::span<const NearRow> rows,
                              const Standings& lists, uint32_t row_counts,
                              Findings* findings) const {
    for (const Standing& list : lists)
        if (list.rank == 0) findings->residuals += residual(query, list.key);
    for (uint32_t i = 0; i < row_counts; ++i) {
        for (size_t row = 0; row < rows.size() && row < kCalibratedRows[i]; ++row)
            ++findings->rows[i][lists[rows[row].list].rank];
    }
    const auto first = rows.first(std::min<size_t>(rows.size(), kFirstRows));
    for (const NearRow& row : first)
        findings->first.push_back(found_row(query, lists[row.list], first.back().key));
    ++findings->query_count;
}

void Calibrator::add_full_findings(size_t full, Findings* findings) {
    const Query& query = full_[full];
    const Standings lists = standings_of_full(full);
    add_findings(query, nearest_.sorted(full), lists, kCalibratedRowCounts, findings);
    for (uint32_t filter = 0; filter < kFilterCount; ++filter) {
        const std::span<const NearRow> left = left_[filter].sorted(full);
        for (const NearRow& row : left)
            findings->left[filter].push_back(found_row(query, lists[row.list], left.back().key));
    }
}

void Calibrator::add_near_findings(size_t near, Findings* findings) {
    const Standings lists = standings(near_elements(near));
    add_findings(near_[near], near_nearest_.sorted(near), lists, 1, findings);
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
ByRecall<double> Calibrator::opened_lists(size_t full, const Calibration& measured) {
    const Query& query = full_[full];
    const std::span<const NearRow> rows = nearest_.sorted(full);
    const Standings lists = standings_of_full(full);
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

NeighbourDistances Calibrator::neighbour_distances() {
    NeighbourDistances distances;
    for (size_t full = 0; full < full_.size(); ++full) {
        std::vector<float> nearest;
        for (const NearRow& row : nearest_.sorted(full))
            nearest.push_back(distance(full_[full], row.key));
        std::vector<float> sampled;
        for (size_t at = full; at < sampled_keys_.size(); at += full_.size())
            sampled.push_back(distance(full_[full], sampled_keys_[at]));
        distances.add_query(nearest, sampled);
    }
    return distances;
}

Calibrator::Conclusion::Conclusion(Calibrator* calibrator) : calibrator_(calibrator) {
    of_full_.rows.fill(RowsByRank(calibrator->list_count_));
}

bool Calibrator::Conclusion::step() {
    const size_t full_count = calibrator_->full_.size();
    if (stage_ == Stage::kFull && next_ == full_count) start_near();
    if (stage_ == Stage::kNear && next_ == calibrator_->near_.size()) summarize();
    const size_t query = next_++;
    if (stage_ == Stage::kFull) {
        calibrator_->add_full_findings(query, &of_full_);
    } else if (stage_ == Stage::kNear) {
        calibrator_->add_near_findings(query, &all_);
    } else if (query < full_count) {
        const ByRecall<double> opened = calibrator_->opened_lists(query, result_);
        for (uint32_t j = 0; j < kCalibratedRecallCounts; ++j)
            opened_[j] += opened[j];
    } else {
        result_.opened_share = calibrator_->opened_share(result_, opened_);
        return false;
    }
    return true;
}

void Calibrator::Conclusion::start_near() {
    all_ = of_full_;
    stage_ = Stage::kNear;
    next_ = calibrator_->near_queries_count(of_full_) ? 0 : calibrator_->near_.size();
}

// All but what takes another look at the full queries.
void Calibrator::Conclusion::summarize() {
    stage_ = Stage::kOpened;
    next_ = 0;
    result_.query_count = all_.query_count;
    result_.full_query_count = of_full_.query_count;
    result_.list_count = calibrator_->list_count_;
    result_.row_count = calibrator_->row_count_;
    result_.probes = probe_table(all_.rows, of_full_.rows[0]);
    result_.residual =
        static_cast<float>(all_.residuals / std::max(1.0, double{1} * all_.query_count));
    const float residual = result_.residual;
    const ByRecall<uint32_t>& first = result_.probes[0];
    result_.reach_within =
        reach_within_spread(calibrator_->reached(all_.first, residual),
                            calibrator_->reached(of_full_.first, residual), first);
    const LeftRows left = calibrator_->left_rows(of_full_, residual);
    result_.reach = reach_alone(left);
    result_.reach_besides = reach_besides_spread(left, first, result_.reach_within);
    const NeighbourDistances distances = calibrator_->neighbour_distances();
    result_.rank_distance = distances.of_ranks();
    result_.share_distance = distances.of_shares();
}

}  // namespace lookalike
