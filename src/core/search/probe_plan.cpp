#include "core/search/probe_plan.h"

#include <algorithm>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// Scan codes hide some entries, and what was measured errs by a few in a thousand: what the lists
// promise must be a little more.
constexpr double kScanLoss = 0.01;
constexpr double kUnmeasuredGrowth = 0.4;

// A query may take so many lists as miss only this share of what the recall allows to miss: half as
// many more, about. A quarter of them is opened at once.
constexpr double kMissedByMost = 0.6;
constexpr double kOpenedAtOnce = 1.0 / 4;
// It was measured for the ten nearest, and serves up to so many.
constexpr double kRowsOfSpread = 2 * kFirstRows;

// Of a number of lists for later rows so many are opened at once: what was measured for 100 rows
// and 1,000 holds in the mean of them, while the last of them need more and the first need less.
constexpr double kOpenedForLater = 1.0 / 2;

// Up to the last row that was measured, lists were counted around the query. A row that many times
// later is far.
constexpr double kFarAfter = 10;

// A query is like the rows up to so many times their mean squared distance from the nearest
// centroid, and unlike all of them from so many times on. Each further factor as great makes its
// nearest rows more extreme ones of their lists, by this share of their reach.
constexpr double kLikeRows = 1.5;
constexpr double kUnlikeRows = 4;
constexpr double kReachBeyond = 0.07;
constexpr double kFarthest = 6;
// By the inner product it is like them down to such a share of the length that the nearest centroid
// has in the direction of a row.
constexpr double kLikeRowsLength = 0.85;
constexpr double kUnlikeRowsLength = 0.6;

bool is_squared_distance(Metric metric) {
    return metric == Metric::kL2 || metric == Metric::kCosine || metric == Metric::kHamming;
}

// The rows wanted are among so many of those that were measured.
double nearest_among(double rows, double share) {
    return std::max<double>(rows - kRowsAhead, kFirstRows) / share;
}

SpreadOfLists spread_of(double most) {
    return {std::ceil(kOpenedAtOnce * most), std::ceil(most)};
}

double most_lists(const ByRecall<uint32_t>& probes, double recall) {
    return std::max(1.0, at_recall(probes, 1 - kMissedByMost * (1 - recall)));
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

SpreadOfLists spread_at(const ByRecall<uint32_t>& probes, double recall) {
    return spread_of(most_lists(probes, recall));
}

ProbePlan::ProbePlan(double probes) {
    for (uint32_t i = 0; i < kCalibratedRowCounts; ++i)
        probes_[i] = probes * std::pow(kCalibratedRows[i] / double{kFirstRows}, kUnmeasuredGrowth);
}

ProbePlan::ProbePlan(const Calibration& calibration, double recall) {
    const double promised = std::min(recall + kScanLoss, (recall + 1) / 2);
    for (uint32_t i = 0; i < kCalibratedRowCounts; ++i) {
        const double lists =
            recall >= 1 ? calibration.list_count : at_recall(calibration.probes[i], promised);
        probes_[i] = std::max(1.0, lists);
    }
    reach_ = at_recall(calibration.reach, promised);
    reach_besides_ = at_recall(calibration.reach_besides, promised);
    if (recall >= 1) reach_ = reach_besides_ = std::numeric_limits<double>::max();
    residual_ = calibration.residual;
    const auto is_zero = [](float reach) { return reach == 0; };
    if (recall >= 1 || std::ranges::all_of(calibration.reach_within, is_zero)) return;
    reach_within_ = at_recall(calibration.reach_within, promised);
    spread_ = most_lists(calibration.probes[0], promised) / probes_[0];
}

void ProbePlan::expect_lists(uint32_t measured, uint32_t lists) {
    if (measured == 0 || lists <= measured) return;
    for (double& value : probes_)
        value *= static_cast<double>(lists) / measured;
}

void ProbePlan::start_with(double probes) {
    const double scale = probes / probes_[0];
    for (double& value : probes_)
        value *= scale;
    // Who asks for a number gets it.
    reach_ = std::numeric_limits<double>::quiet_NaN();
    give_up_spread();
}

double ProbePlan::lists_for(double rows, double share) const {
    const double wanted = nearest_among(rows, share);
    if (wanted <= kFirstRows) return probes_[0];
    // Beyond the table the last slope goes on.
    uint32_t i = 1;
    while (i + 1 < kCalibratedRowCounts && wanted > kCalibratedRows[i])
        ++i;
    const double slope = std::log(probes_[i] / probes_[i - 1]) /
                         std::log(static_cast<double>(kCalibratedRows[i]) / kCalibratedRows[i - 1]);
    return probes_[i] * std::pow(wanted / kCalibratedRows[i], slope);
}

SpreadOfLists ProbePlan::spread_for(double rows, double share) const {
    const double lists = lists_for(rows, share);
    if (!has_spread()) return {lists, lists};
    // How far the lists of the ten nearest reach says little about a hundred's.
    if (nearest_among(rows, share) > kRowsOfSpread) return {kOpenedForLater * lists, lists};
    return spread_of(spread_ * lists);
}

double ProbePlan::far_of_query(Metric metric, float nearest_list_key) const {
    if (!has_spread() || !(residual_ > 0)) return 0;
    double far = 0;
    if (metric == Metric::kInnerProduct) {
        const double share = -nearest_list_key / residual_;
        far = (kLikeRowsLength - share) / (kLikeRowsLength - kUnlikeRowsLength);
    } else if (is_squared_distance(metric) && nearest_list_key > 0) {
        const double ratio = nearest_list_key / residual_;
        far = std::log(ratio / kLikeRows) / std::log(kUnlikeRows / kLikeRows);
    }
    return std::clamp(far, 0.0, kFarthest);
}

double ProbePlan::far_of_row(double row) const {
    const double measured = kCalibratedRows[kCalibratedRowCounts - 1];
    return has_spread() ? std::clamp(std::log(row / measured) / std::log(kFarAfter), 0.0, 1.0) : 0;
}

bool ProbePlan::goes_beyond(double row) const {
    return has_spread() && row > kRowsAhead + kRowsOfSpread;
}

bool ProbePlan::may_reach(Metric metric, float list_key, float row_key, double far) const {
    const double reach = far < 1 ? (1 - far) * reach_besides_ + far * reach_
                                 : reach_ + kReachBeyond * (far - 1) * std::abs(reach_);
    return list_reach(metric, list_key, row_key, residual_) <= reach;
}

ProbePlan probe_plan(const MetaPage& meta, double recall, uint32_t probes) {
    const Calibration calibration = calibration_of(meta);
    // Just after its first split an index is not measured yet: its few lists are all opened.
    ProbePlan plan = calibration.query_count > 0
                         ? ProbePlan(calibration, recall)
                         : ProbePlan(std::max(1.0, double{1} * meta.leaf_count));
    plan.expect_lists(calibration.list_count, meta.leaf_count);
    // The keys of its rows are estimates, and the lowest of many such are too low.
    if (meta.refine == Refine::kNone && !is_binary(meta.metric)) plan.give_up_spread();
    if (probes > 0) plan.start_with(probes);
    return plan;
}

}  // namespace lookalike
