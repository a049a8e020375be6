#include "core/measure/calibration_record.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

// Of six sets, each at three recalls, it was 0.03 to 0.97, half of them below 0.5.
constexpr double kUnmeasuredOpenedShare = 0.5;

template <class Value>
double read_between(const ByRecall<Value>& values, double recall) {
    const auto missing = [](double share) { return -std::log(1 - share); };
    if (recall <= kCalibratedRecalls[0]) return values[0];
    for (uint32_t j = 1; j < kCalibratedRecallCounts; ++j) {
        if (recall > kCalibratedRecalls[j]) continue;
        const double low = missing(kCalibratedRecalls[j - 1]);
        const double high = missing(kCalibratedRecalls[j]);
        const double at = (missing(recall) - low) / (high - low);
        return values[j - 1] + at * (double{1} * values[j] - values[j - 1]);
    }
    return values[kCalibratedRecallCounts - 1];
}

}  // namespace

Calibration calibration_of(const MetaPage& meta) {
    Calibration calibration;
    memcpy(&calibration, meta.calibration, sizeof calibration);
    return calibration;
}

void set_calibration(MetaPage* meta, const Calibration& calibration) {
    memcpy(meta->calibration, &calibration, sizeof calibration);
}

double rows_per_list(const Calibration& calibration) {
    if (calibration.list_count == 0) return 0;
    return static_cast<double>(calibration.row_count) / calibration.list_count;
}

double opened_share(const Calibration& calibration, double recall) {
    const auto is_zero = [](float share) { return share == 0; };
    if (std::ranges::all_of(calibration.opened_share, is_zero)) return kUnmeasuredOpenedShare;
    const double share = at_recall(calibration.opened_share, recall);
    return share >= 0 && share <= 1 ? share : kUnmeasuredOpenedShare;
}

double at_recall(const ByRecall<uint32_t>& values, double recall) {
    return read_between(values, recall);
}

double at_recall(const ByRecall<float>& values, double recall) {
    return read_between(values, recall);
}

}  // namespace lookalike
