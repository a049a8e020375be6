// Measures an index from its rows, while it is built and when its owner asks: how many lists must
// be searched to find what share of the nearest rows, how far lists reach, how far rows are from
// each other.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/code/block_scorer.h"
#include "core/measure/calibration_record.h"
#include "core/measure/nearest_rows.h"
#include "core/measure/neighbour_distances.h"
#include "core/measure/probe_table.h"
#include "core/measure/query_tile.h"
#include "core/measure/reach_table.h"

namespace lookalike {

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
    /// The nearest rows that a query which meets all rows keeps.
    static constexpr uint32_t kMostRows = kCalibratedRows[kCalibratedRowCounts - 1];
    /// At most, beside the query itself.
    static constexpr size_t kBytesPerQuery =
        NearestRows::bytes_per_query(kMostRows) +
        kFilterCount * NearestRows::bytes_per_query(kFirstRows) + kSampledRows * sizeof(float);
    static constexpr size_t kBytesPerNearQuery = NearestRows::bytes_per_query(kFirstRows);

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
    /// The same for what IndexSpace::to_space made of the row; binary metrics: -1 and 1. A row that
    /// is observed with the same floats is the query itself.
    void add_query_in_space(const IndexSpace* space, const float* vector, Meets meets);

    /// After the last query. `centroids`, which the lists were made with, row_floats each, must
    /// outlive this.
    void set_lists(
        std::span<const float> centroids, uint32_t list_count, const Check& check = [] {});

    /// The same a query at a time: place_query() until it says that none is left.
    void begin_lists(std::span<const float> centroids, uint32_t list_count);
    bool place_query();

    /// So many distances are computed for a row of this list. REQUIRES: set_lists.
    size_t queries_that_meet(uint32_t list) const {
        return full_.size() + near_of_list_[list].size();
    }

    /// Many of the rows that follow are of this list: its near queries are put side by side, which
    /// takes as long as to observe some rows. In the list already: nothing. REQUIRES: as observe().
    void enter_list(uint32_t list);

    /// A row of the table, of a binary metric packed as a descriptor has it, and its list.
    struct Row {
        Elements elements;
        uint32_t list;
    };
    /// REQUIRES: set_lists; lists below list_count. Some at a time are observed quicker.
    void observe(std::span<const Row> rows);
    /// The same for one; bits as -1 and 1.
    void observe(const float* vector, uint32_t list);

    /// What comes of the rows. No row is observed afterwards. REQUIRES: set_lists.
    Calibration measure(const Check& check = [] {});

    /// The same a query at a time.
    class Conclusion;

  private:
    static constexpr uint32_t kNoList = 0xFFFFFFFF;

    struct Query {
        double mean_product;
        float key_scale;  // as lookalike::key_scale()
    };

    /// Of a list before a query: how many others are nearer, and the key of its centroid.
    struct Standing {
        uint32_t rank;
        float key;
    };
    using Standings = std::vector<Standing>;  // by list

    /// One of the nearest rows of a query: of its list, and of the last of these rows. Keys are
    /// scaled by the query's key_scale.
    struct FoundRow {
        Standing list;
        float last_key;
    };
    using FoundRows = std::vector<FoundRow>;

    /// Where the nearest rows of some queries lie.
    struct Findings {
        uint32_t query_count = 0;
        double residuals = 0;  // the sum of their own distances from their centroids
        std::array<RowsByRank, kCalibratedRowCounts> rows;  // of the kCalibratedRows[i] nearest
        FoundRows first;                                    // of each query the first rows
        std::array<FoundRows, kFilterCount> left;  // of each full query, what a filter leaves
    };

    std::vector<uint8_t> packed(const float* signs) const;
    Elements near_elements(size_t near) const;
    void start_observing();
    void observe_some(std::span<const Row> rows);
    void pass_full(const float* keys, uint32_t list);
    void pass_near(const float* keys, uint32_t list);
    void meet_near_queries(const Row& row);
    void sample_keys(const float* keys);
    float distance(const Query& query, float key) const;
    Standings standings(const Elements& query) const;
    Standings standings_of_full(size_t full) const;

    double residual(const Query& query, float list_key) const;
    static FoundRow found_row(const Query& query, Standing list, float last_key);
    void add_findings(const Query& query, std::span<const NearRow> rows, const Standings& lists,
                      uint32_t row_counts, Findings* findings) const;
    void add_full_findings(size_t full, Findings* findings);
    void add_near_findings(size_t near, Findings* findings);
    bool near_queries_count(const Findings& of_full) const;
    ReachedRows reached(std::span<const FoundRow> rows, float residual) const;
    LeftRows left_rows(const Findings& findings, float residual) const;
    ByRecall<double> opened_lists(size_t full, const Calibration& measured);
    ByRecall<float> opened_share(const Calibration& measured, const ByRecall<double>& opened) const;
    NeighbourDistances neighbour_distances();

    Metric metric_;
    uint32_t row_floats_;
    uint64_t row_count_ = 0;
    size_t row_bytes_;  // of bits
    std::span<const float> centroids_;
    std::vector<uint8_t> centroid_bits_;  // of binary metrics
    uint32_t list_count_ = 0;
    size_t placed_ = 0;  // queries, the full ones first

    // Queries that meet all rows.
    std::vector<Query> full_;
    QueryTile full_tile_;
    std::vector<float> keys_;  // of some rows and them
    NearestRows nearest_;
    std::vector<NearestRows> left_;    // what each filter leaves
    std::vector<uint32_t> is_far_;     // of each list bits: the queries for which it is far
    std::vector<float> sampled_keys_;  // of every sample_step_-th row, a key for each query
    uint64_t sample_step_ = 1;

    // Queries that meet near lists.
    std::vector<Query> near_;
    std::vector<float> near_floats_;
    std::vector<uint8_t> near_bits_;
    std::vector<std::vector<uint32_t>> near_of_list_;  // those that meet a list's rows
    NearestRows near_nearest_;
    uint32_t entered_list_ = kNoList;
    QueryTile entered_tile_;             // near_of_list_[entered_list_]
    std::vector<float> entered_keys_;    // of some rows and them
    std::vector<float> entered_limits_;  // near_nearest_.limit() of them
    std::vector<uint32_t> below_;        // bits
};

/// What comes of what a calibrator has observed. It must outlive this, and observe no more.
class Calibrator::Conclusion {
  public:
    explicit Conclusion(Calibrator* calibrator);

    /// Looks at one query. False: none was left.
    bool step();

    /// REQUIRES: step() said that none was left.
    const Calibration& calibration() const { return result_; }

  private:
    enum class Stage { kFull, kNear, kOpened };
    void start_near();
    void summarize();

    Calibrator* calibrator_;
    Stage stage_ = Stage::kFull;
    size_t next_ = 0;  // query of this stage
    Findings of_full_;
    Findings all_;
    ByRecall<double> opened_{};  // lists, the sum over the full queries
    Calibration result_{};
};

}  // namespace lookalike
