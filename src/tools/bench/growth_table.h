// A table whose index was created while it was empty, and what happens to it; beside that index,
// for comparison, one that was built on the same rows.
#pragma once

#include <memory>
#include <pqxx/pqxx>
#include <span>
#include <string>
#include <vector>

#include "tools/bench/dataset.h"
#include "tools/pqxx_versions.h"

namespace lookalike {

constexpr const char* kGrowthTable = "growth";
constexpr const char* kGrownIndex = "growth_grown";
constexpr const char* kFreshIndex = "growth_fresh";

/// Gathered over the turns of one index at one setting.
struct GrowthSamples {
    std::vector<double> per_second;    ///< queries a second, one a turn
    std::vector<double> latencies_ms;  ///< of every query that these count
    uint64_t asked = 0;                ///< these, and those that only warm up
    std::vector<std::vector<uint32_t>>
        answers;  ///< positions in the base rows, of the first queries
};

class GrowthTable {
  public:
    /// The set must outlive this. Connects as libpq's environment says; makes the extension.
    explicit GrowthTable(const Dataset& set);

    /// Around a restart of the server. What was set by hand is then as it was at first.
    void disconnect() { connection_.reset(); }
    void reconnect();
    pqxx::connection& connection() { return *connection_; }

    /// Replaces the table by an empty one.
    void create(bool with_index);

    /// What follows returns seconds. Rows are positions in the set's base rows.
    double copy(std::span<const uint32_t> rows);  ///< one COPY, one transaction
    double update_all();                          ///< new entries for every row, in one statement
    double delete_nine_of_ten();                  ///< leaves the rows whose position ends in 0
    double vacuum();

    /// Each row a transaction of its own; the clients share the rows. Gives each one's latency.
    double insert(std::span<const uint32_t> rows, uint32_t client_count,
                  std::vector<double>& latencies_ms);

    /// Seconds for CREATE INDEX.
    double build(const char* index);
    void drop(const char* index);
    uint64_t list_count(const char* index);
    uint64_t byte_count(const char* relation);

    /// ANALYZE, and reads table and indexes into memory.
    void settle();

    /// Asks one query after the other, each at most once, for so many seconds at most, with the
    /// other index hidden if there is one. Goes on where the samples end, so that a slow index
    /// answers other queries in each turn. Throws when the plan does not use the index.
    void take_turn(const char* index, double recall, double seconds, GrowthSamples& samples);

    /// A turn of all queries of the one index that is there, from the first query on and with
    /// nothing asked before them.
    void take_cold_turn(double recall, GrowthSamples& samples);

  private:
    void connect();
    void prepare();
    std::string operator_name() const { return set_.is_cosine ? "<=>" : "<->"; }
    bool is_there(pqxx::transaction_base& work, const char* index);
    std::vector<uint32_t> ask(pqxx::transaction_base& work, uint32_t query);
    void warm(pqxx::transaction_base& work, const char* index, GrowthSamples& samples);
    void ask_some(pqxx::transaction_base& work, double seconds, GrowthSamples& samples);

    const Dataset& set_;
    std::vector<BinaryParameter> values_;  ///< of the queries
    std::unique_ptr<pqxx::connection> connection_;
};

}  // namespace lookalike
