// How many lists must be searched to find what share of the nearest rows: measured while an index
// is built and when its owner asks, kept in its meta page, asked by every scan.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "core/code/block_scorer.h"

namespace lookalike {

constexpr uint32_t kCalibratedRows[] = {10, 100, 1000};
constexpr double kCalibratedRecalls[] = {0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999};
constexpr uint32_t kCalibratedRowCounts = 3;
constexpr uint32_t kCalibratedRecallCounts = 8;
constexpr uint32_t kCalibratedRanks[] = {1, 10, 100, 1000};
constexpr double kCalibratedShares[] = {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 1};
constexpr uint32_t kCalibratedRankCount = 4;
constexpr uint32_t kCalibratedShareCount = 8;

/// Filters that leave one row in so many, drawn at random, and one that leaves the rows of the
/// farther half of the lists: these stand for all.
constexpr uint32_t kThinnings[] = {2, 8, 32};
constexpr uint32_t kThinningCount = 3;
constexpr uint32_t kSparseFilter = kThinningCount - 1;
constexpr uint32_t kFarFilter = kThinningCount;
constexpr uint32_t kFilterCount = kThinningCount + 1;

/// As the meta page stores it. All zero: never measured.
struct Calibration {
    uint32_t query_count;
    uint32_t list_count;
    /// probes[i][j]: lists that hold a share kCalibratedRecalls[j] of the kCalibratedRows[i]
    /// nearest.
    uint32_t probes[kCalibratedRowCounts][kCalibratedRecallCounts];
    uint64_t row_count;  ///< in these lists
    /// reach[j]: of the nearest rows that the sparse filter leaves, and of those that the far one
    /// leaves, a share kCalibratedRecalls[j] lies in lists whose list_reach() is at most this.
    float reach[kCalibratedRecallCounts];
    /// The same of filters that draw at random, together with the lists of the spread.
    float reach_besides[kCalibratedRecallCounts];
    float residual;  ///< squared distance of a typical row from its centroid
    uint32_t reserved;
    /// The distance, as SQL shows it, of a typical row from the kCalibratedRanks[i]-th nearest
    /// other one.
    float rank_distance[kCalibratedRankCount];
    /// A share kCalibratedShares[i] of all pairs of rows is no farther apart than this. All zero:
    /// distances were not measured, only lists.
    float share_distance[kCalibratedShareCount];
    /// Of the ten nearest rows, a share kCalibratedRecalls[j] lies in the nearest lists that
    /// SpreadOfLists says for it, those beyond the first of them only as far as their list_reach()
    /// is at most this. All zero: not measured.
    float reach_within[kCalibratedRecallCounts];
};
static_assert(sizeof(Calibration) == 8 + 4 * 24 + 8 + 3 * 4 * 8 + 8 + 4 * 4 + 4 * 8);

/// The share of the rows within this distance of a typical row, at least one row; 0 where distances
/// were not measured.
double share_within(const Calibration& calibration, double distance);

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

/// Lists to open as a function of the rows wanted, for one recall.
class ProbePlan {
  public:
    /// A fixed number for the first rows, growing as the square root of square roots do: a rule of
    /// thumb for indexes that were never measured.
    explicit ProbePlan(double probes);

    /// From a measurement. REQUIRES: calibration.query_count > 0, 0 < recall <= 1.
    ProbePlan(const Calibration& calibration, double recall);

    /// The same shape, but so many for the first rows.
    void start_with(double probes);

    /// Lists that should be open before row number `rows` is given out, when only this share of the
    /// rows that were measured is there: the rest was filtered or deleted.
    double lists_for(double rows, double share = 1) const;

    /// The same where each of the further lists is asked if it may_hold() what is wanted.
    SpreadOfLists spread_for(double rows, double share = 1) const;

    /// Whether a list with this key of its centroid may hold rows that are nearer than `row_key`,
    /// the key of the last row wanted. `nearby`: from 0, the filter leaves nothing where the query
    /// is, to 1, as much as elsewhere. There the first lists have most of the rows already. False
    /// where nothing was measured.
    bool may_reach(Metric metric, float list_key, float row_key, double nearby) const {
        const double reach = nearby * reach_besides_ + (1 - nearby) * reach_;
        return list_reach(metric, list_key, row_key, residual_) <= reach;
    }
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

/// Which rows a query meets while an index measures itself: the more queries, the less chance has a
/// part in how many lists a recall takes; but it costs a distance for each row that one meets.
enum class Meets {
    kAllRows,
    kNearLists,  ///< those of its near lists, where its nearest rows nearly always are
};

/// The nearest tenth of the lists; of few lists 32.
inline uint32_t near_list_count(uint64_t list_count) {
    return static_cast<uint32_t>(std::min(list_count, std::max<uint64_t>(32, list_count / 10)));
}

/// Collects the nearest rows of some queries and the lists that they are in, and how far rows are
/// from the queries.
class Calibrator {
  public:
    /// Rows whose distance from every query is kept, at most.
    static constexpr size_t kSampledRows = 256;
    /// At most, beside the query itself.
    static constexpr size_t kBytesPerQuery =
        (kCalibratedRows[kCalibratedRowCounts - 1] + 1 + kFilterCount * (kCalibratedRows[0] + 1)) *
            2 * sizeof(float) +
        kSampledRows * sizeof(float);
    static constexpr size_t kBytesPerNearQuery = (kCalibratedRows[0] + 1) * 2 * sizeof(float);

    /// Called for each query by what takes long; it may throw to end that.
    using Check = std::function<void()>;

    /// Rows have row_floats each: vectors in index space, for binary metrics -1 and 1.
    Calibrator(Metric metric, uint32_t row_floats);

    /// `query` is as a row is; for the inner product, P(q) instead of P(q - m), and
    /// mean_product = <q, m>.
    void add_query(const float* query, double mean_product = 0, Meets meets = Meets::kAllRows);
    /// The same for a row as SQL has it; `space`: null for binary metrics. REQUIRES: as
    /// IndexSpace::query.
    void add_query(const IndexSpace* space, const float* row, Meets meets);

    /// After the last query. `centroids`, which the lists were made with, row_floats each, must
    /// outlive this.
    void set_lists(
        std::span<const float> centroids, uint32_t list_count, const Check& check = [] {});

    /// One row of the table and its list. REQUIRES: set_lists; a list below list_count.
    void observe(const float* vector, uint32_t list);

    /// REQUIRES: set_lists.
    Calibration measure(const Check& check = [] {}) const;

  private:
    struct Near {
        float key;
        uint32_t list;
        bool operator<(const Near& other) const { return key < other.key; }
    };
    using Nearest = std::vector<Near>;  // a heap, the farthest on top

    struct Query {
        std::vector<float> vector;
        double mean_product;
        Nearest nearest;
    };
    struct FullQuery : Query {
        Nearest left[kFilterCount];  // the nearest that each filter leaves
        std::vector<bool> is_far;    // the farther half of the lists
        std::vector<float> sampled;  // the keys of every sample_step_-th row
    };

    /// Of a list before a query: how many others are nearer, and the key of its centroid.
    struct Standing {
        uint32_t rank;
        float key;
    };

    /// One of the ten nearest rows of a query: of its list, and of the tenth.
    struct FoundRow {
        Standing list;
        float last_key;
    };
    using FoundRows = std::vector<FoundRow>;
    float reach_of(const FoundRow& row, const Calibration& measured) const {
        return list_reach(metric_, row.list.key, row.last_key, measured.residual);
    }

    float key(const float* query, const float* vector) const;
    float distance(const Query& query, float key) const;
    std::vector<Standing> standings(const Query& query) const;
    void keep(Nearest* heap, const Near& near, size_t count) const;

    void measure_probes(Calibration* result, FoundRows left[kFilterCount],
                        const Check& check) const;
    void measure_reach_within(std::span<const FoundRow> rows, std::span<const FoundRow> of_full,
                              Calibration* result) const;
    void measure_reach(const FoundRows left[kFilterCount], Calibration* result) const;
    void measure_distances(Calibration* result) const;
    void thin_sample();

    Metric metric_;
    uint32_t row_floats_;
    uint64_t row_count_ = 0;
    std::vector<float> ones_;  // their product with bits as -1 and 1 counts them
    std::span<const float> centroids_;
    uint32_t list_count_ = 0;
    std::vector<FullQuery> full_;
    std::vector<Query> near_;
    std::vector<std::vector<uint32_t>> near_of_list_;  // the near queries that meet a list's rows
    uint64_t sample_step_ = 1;
};

}  // namespace lookalike
