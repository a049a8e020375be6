// Which lists a scan opens, by what its index has measured of itself. Terms as in docs/DESIGN.md:
//
//   residual       a row less the centroid of its list; here the squared length of a typical one
//   key            the number that a scan orders by; under L2 the squared distance from the query.
//                  Here those of the inner product are divided by the query's length
//   spread         the range between the lists that every query opens at once, the first, and the
//                  most that a hard query opens
//   reach          how far the rows of a list are taken to lie from its centroid towards the query:
//                  a cosine for L2 and cosine, else a difference of keys
//   reach besides  the reach that is needed where the lists of the spread are open anyway
//   near, far      of what is wanted: near are rows around a query that is like the rows, far is a
//                  region away from the query: because a filter leaves nothing else, because the
//                  query is unlike all rows, or because many nearer rows have been given out. A
//                  number: 0 near, 1 far, more beyond all that was measured
//
// The lists in the order of their centroids' distances from the query, and which of them are
// opened:
//
//     1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 ...
//     |-- first --|------------ spread ------------|
//     all          those that may_hold() the last   with a filter, for later rows, for what is
//                  row wanted                  most  far: those that may_reach() it
//
// What a list with the centroid c must reach to have a row with the key K of the last row wanted,
// under L2: the cosine of the angle at c. The longer the way from c to q, the greater it must be,
// and the fewer lists have such a row.
//
//             row
//             /  `-.  sqrt(K)
//          r /      `-.
//           / angle    `-.          r: a residual of typical length
//          c --------------- q
//               |q - c|
#pragma once

#include <cmath>
#include <limits>

#include "core/measure/calibration_record.h"
#include "core/vector/metric.h"

namespace lookalike {

/// Bounds are not distances: the executor looks at so many rows before it can give out the first.
constexpr double kRowsAhead = 30;

/// How far a list with this key of its centroid would have to reach towards the query to hold a row
/// with this key: for L2 and cosine in units of what a random direction does not do by itself, the
/// cosine of the angle at the centroid; else the difference of the keys.
float list_reach(Metric metric, float list_key, float row_key, float residual);

/// Some queries take few lists and some take many. So the first are opened at once, and of the
/// others, up to the most, those that may reach the last row wanted.
struct SpreadOfLists {
    double first;
    double most;
};

/// The spread for a recall, where these lists hold the first rows (Calibration::probes[0]).
SpreadOfLists spread_at(const ByRecall<uint32_t>& probes, double recall);

/// Lists to open as a function of the rows wanted, for one recall.
class ProbePlan {
  public:
    /// A fixed number for the first rows, growing as the square root of square roots do: a rule of
    /// thumb for indexes that were never measured.
    explicit ProbePlan(double probes);

    /// From a measurement. REQUIRES: calibration.query_count > 0, 0 < recall <= 1.
    ProbePlan(const Calibration& calibration, double recall);

    /// Lists have been split since so many were measured: what was in one list may be in its parts.
    void expect_lists(uint32_t measured, uint32_t lists);

    /// The same shape, but so many for the first rows.
    void start_with(double probes);

    /// Lists that should be open before row number `rows` is given out, when only this share of the
    /// rows that were measured is there: the rest was filtered or deleted.
    double lists_for(double rows, double share = 1) const;

    /// The same where each of the further lists is asked if it may_hold() what is wanted.
    SpreadOfLists spread_for(double rows, double share = 1) const;

    /// How far the rows wanted lie from a query whose nearest list has this key of its centroid. A
    /// query that is like the rows is as far from it as rows are.
    double far_of_query(Metric metric, float nearest_list_key) const;
    /// How far row number `row` of a search lies, when so many nearer ones were given out.
    double far_of_row(double row) const;
    /// Whether row number `row` may lie in lists beyond the spread, which was measured for fewer.
    bool goes_beyond(double row) const;

    /// Whether a list with this key of its centroid may hold rows that are nearer than `row_key`,
    /// the key of the last row wanted. False where nothing was measured.
    bool may_reach(Metric metric, float list_key, float row_key, double far) const;
    /// Whether such a list, one of the most that a spread allows, is worth opening.
    bool may_hold(Metric metric, float list_key, float row_key) const {
        return list_reach(metric, list_key, row_key, residual_) <= reach_within_;
    }
    bool has_reach() const { return !std::isnan(reach_); }

    /// Every query opens as many lists.
    void give_up_spread() { spread_ = 0; }
    bool has_spread() const { return spread_ > 0; }

  private:
    double probes_[kCalibratedRowCounts];
    double reach_ = std::numeric_limits<double>::quiet_NaN();  // which nothing is within
    double reach_besides_ = 0;
    double reach_within_ = 0;
    double spread_ = 0;  // the most lists, as a multiple of lists_for(); 0: no spread
    float residual_ = 1;
};

/// The plan of a scan for this recall. `probes`: the lists that it shall open for the first rows,
/// 0: as the recall wants.
ProbePlan probe_plan(const MetaPage& meta, double recall, uint32_t probes);

}  // namespace lookalike
