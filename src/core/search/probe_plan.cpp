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
    // How far the lists of the ten nearest reach says little about a hundred's.
    if (spread_ == 0 || nearest_among(rows, share) > 2 * kFirstRows) return {lists, lists};
    return spread_of(spread_ * lists);
}

ProbePlan probe_plan(const MetaPage& meta, double recall, uint32_t probes) {
    const Calibration calibration = calibration_of(meta);
    // Every index of several lists was measured; one list needs no plan.
    ProbePlan plan = calibration.query_count > 0 ? ProbePlan(calibration, recall) : ProbePlan(1);
    // The keys of its rows are estimates, and the lowest of many such are too low.
    if (meta.refine == Refine::kNone && !is_binary(meta.metric)) plan.give_up_spread();
    if (probes > 0) plan.start_with(probes);
    return plan;
}

}  // namespace lookalike
