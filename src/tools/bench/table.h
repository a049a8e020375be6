// One system's table of a set: filling it, indexing it, searching and inserting.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "tools/bench/dataset.h"
#include "tools/bench/ground_truth.h"
#include "tools/bench/result.h"
#include "tools/bench/system.h"

namespace lookalike {

constexpr uint32_t kNeighbours = 10;

class BenchTable {
  public:
    /// Holds references: both must outlive this. Connects as libpq's environment says.
    BenchTable(const BenchSystem& system, const Dataset& set);

    /// Replaces the table by one of the set's base rows, whose ids are their positions.
    void fill();

    /// True when table and index are left from an earlier run on equally many rows of a set of this
    /// name; takes the rows that it inserted out again.
    bool restore();

    /// Seconds that CREATE INDEX took.
    double build_index();
    uint64_t index_bytes();

    /// Reads table and index once, then asks every query once at the greatest knob; throws when the
    /// plan does not use the index.
    void warm();

    /// Asks every query once with `client_count` connections. Recall is computed after the clock
    /// has stopped. `latencies_us` gets one entry a query.
    BenchPoint search(uint32_t knob, uint32_t client_count, const GroundTruth& truth,
                      std::vector<double>& latencies_us);

    /// Seconds for inserting rows [begin, end) of the set's inserts, each its own transaction.
    double insert(uint32_t begin, uint32_t end);

  private:
    using Answers = std::vector<std::vector<uint32_t>>;  ///< ids of each query

    std::string query() const;
    std::string content() const;
    void prepare(pqxx::connection& connection);
    void ask(pqxx::connection& connection, uint32_t begin, uint32_t end, Answers& answers,
             std::vector<double>& latencies_us);

    const BenchSystem& system_;
    const Dataset& set_;
    std::vector<BinaryParameter> values_;  ///< of the queries
    std::vector<std::unique_ptr<pqxx::connection>>
        clients_;  ///< the first does everything else too
};

}  // namespace lookalike
