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
#include "core/measure/neighbour_distances.h"
#include "core/measure/probe_table.h"
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
        (kMostRows + 1 + kFilterCount * (kFirstRows + 1)) * 2 * sizeof(float) +
        kSampledRows * sizeof(float);
    static constexpr size_t kBytesPerNearQuery = (kFirstRows + 1) * 2 * sizeof(float);

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

    /// One row of the table and its list. REQUIRES: set_lists; a list below list_count.
    void observe(const float* vector, uint32_t list);
    /// The same for a row of bits, packed as a descriptor has them. REQUIRES: a binary metric.
    void observe(const uint8_t* bits, uint32_t list);

    /// REQUIRES: set_lists.
    Calibration measure(const Check& check = [] {}) const;

    /// The same a query at a time.
    class Conclusion;

  private:
    struct Near {
        float key;
        uint32_t list;
        bool operator<(const Near& other) const { return key < other.key; }
    };
    using Nearest = std::vector<Near>;  // a heap, the farthest on top

    /// The floats of a query, a row or a centroid; of a binary metric the bits instead.
    struct Elements {
        const float* floats;
        const uint8_t* bits;
    };

    struct Query {
        std::vector<float> floats;
        std::vector<uint8_t> bits;
        double mean_product;
        float key_scale;  // as lookalike::key_scale()
        Nearest nearest;
    };
    struct FullQuery : Query {
        std::array<Nearest, kFilterCount> left;  // the nearest that each filter leaves
        std::vector<bool> is_far;                // the farther half of the lists
        std::vector<float> sampled;              // the keys of every sample_step_-th row
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
    float key(const Query& query, const Elements& vector) const;
    void observe(const Elements& vector, uint32_t list);
    float distance(const Query& query, float key) const;
    Standings standings(const Query& query) const;
    void keep(Nearest* heap, const Near& near, size_t count) const;
    void thin_sample();

    double residual(const Query& query, float list_key) const;
    static FoundRow found_row(const Query& query, Standing list, float last_key);
    void add_findings(const Query& query, const Standings& lists, uint32_t row_counts,
                      Findings* findings) const;
    void add_full_findings(const FullQuery& query, Findings* findings) const;
    bool near_queries_count(const Findings& of_full) const;
    ReachedRows reached(std::span<const FoundRow> rows, float residual) const;
    LeftRows left_rows(const Findings& findings, float residual) const;
    ByRecall<double> opened_lists(const FullQuery& query, const Calibration& measured) const;
    ByRecall<float> opened_share(const Calibration& measured, const ByRecall<double>& opened) const;
    NeighbourDistances neighbour_distances() const;

    Metric metric_;
    uint32_t row_floats_;
    uint64_t row_count_ = 0;
    size_t row_bytes_;  // of bits
    std::span<const float> centroids_;
    std::vector<uint8_t> centroid_bits_;  // of binary metrics
    uint32_t list_count_ = 0;
    std::vector<FullQuery> full_;
    std::vector<Query> near_;
    size_t placed_ = 0;                                // queries, the full ones first
    std::vector<std::vector<uint32_t>> near_of_list_;  // the near queries that meet a list's rows
    uint64_t sample_step_ = 1;
};

/// What comes of what a calibrator has observed. It must outlive this, and observe no more.
class Calibrator::Conclusion {
  public:
    explicit Conclusion(const Calibrator& calibrator);

    /// Looks at one query. False: none was left.
    bool step();

    /// REQUIRES: step() said that none was left.
    const Calibration& calibration() const { return result_; }

  private:
    enum class Stage { kFull, kNear, kOpened };
    void start_near();
    void summarize();

    const Calibrator& calibrator_;
    Stage stage_ = Stage::kFull;
    size_t next_ = 0;  // query of this stage
    Findings of_full_;
    Findings all_;
    ByRecall<double> opened_{};  // lists, the sum over the full queries
    Calibration result_{};
};

}  // namespace lookalike
