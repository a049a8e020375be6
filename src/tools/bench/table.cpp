#include "tools/bench/table.h"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace lookalike {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The same for every system. What is measured is the index, so the plan is fixed: one plan for all
// queries, no JIT, and no sequential scan because a cost model thinks a small set deserves one.
constexpr const char* kSettings =
    "SET maintenance_work_mem = '2GB'; SET plan_cache_mode = force_generic_plan; SET jit = off;"
    "SET enable_seqscan = off; SET client_min_messages = warning";

}  // namespace

BenchTable::BenchTable(const BenchSystem& system, const Dataset& set) : system_(system), set_(set) {
    for (uint32_t i = 0; i < set.queries.count(); ++i)
        values_.push_back(binary_value(set.queries.row(i), set.queries.dims));
    for (int client = 0; client < 2; ++client) {
        clients_.push_back(std::make_unique<pqxx::connection>());
        pqxx::nontransaction(*clients_.back()).exec(kSettings);
    }
}

void BenchTable::fill() {
    pqxx::work work(*clients_[0]);
    const std::string type = system_.type + "(" + std::to_string(set_.base.dims) + ")";
    work.exec("DROP TABLE IF EXISTS " + system_.table());
    work.exec("CREATE TABLE " + system_.table() + " (id int PRIMARY KEY, features " + type + ")");
    pqxx::stream_to rows = stream_into(work, system_.table());
    for (uint32_t id = 0; id < set_.base.count(); ++id)
        rows << std::make_tuple(id, text_value(set_.base.row(id), set_.base.dims));
    rows.complete();
    work.commit();
    pqxx::nontransaction(*clients_[0]).exec("VACUUM (FREEZE, ANALYZE) " + system_.table());
}

// What the finished table's comment says.
std::string BenchTable::content() const {
    return set_.name + ", " + std::to_string(set_.base.count()) + " rows";
}

bool BenchTable::restore() {
    pqxx::nontransaction work(*clients_[0]);
    const auto found =
        work.exec("SELECT FROM pg_class WHERE relname = '" + system_.table() +
                  "' AND obj_description(oid, 'pg_class') = " + work.quote(content()));
    if (found.empty()) return false;
    work.exec("DELETE FROM " + system_.table() +
              " WHERE id >= " + std::to_string(set_.base.count()));
    // No VACUUM: in some systems it would take longer than the build.
    for (const auto& client : clients_)
        prepare(*client);
    return true;
}

double BenchTable::build_index() {
    const std::string& op_class = set_.is_cosine ? system_.cosine_class : system_.l2_class;
    const auto begin = Clock::now();
    pqxx::nontransaction work(*clients_[0]);
    work.exec("CREATE INDEX " + system_.index() + " ON " + system_.table() + " USING " +
              system_.method + " (features " + op_class + ") " + system_.options);
    const double seconds = seconds_since(begin);
    work.exec("COMMENT ON TABLE " + system_.table() + " IS " + work.quote(content()));
    for (const auto& client : clients_)
        prepare(*client);
    return seconds;
}

uint64_t BenchTable::index_bytes() {
    return pqxx::nontransaction(*clients_[0])
        .exec("SELECT pg_relation_size('" + system_.index() + "')")
        .at(0)
        .at(0)
        .as<uint64_t>();
}

std::string BenchTable::query() const {
    return "SELECT id FROM " + system_.table() + " ORDER BY features " +
           (set_.is_cosine ? "<=>" : "<->") + " $1 LIMIT " + std::to_string(kNeighbours);
}

void BenchTable::prepare(pqxx::connection& connection) {
    connection.prepare("search", query());
    connection.prepare("insert", "INSERT INTO " + system_.table() + " VALUES ($1, $2)");
}

void BenchTable::warm() {
    pqxx::nontransaction work(*clients_[0]);
    work.exec("CREATE EXTENSION IF NOT EXISTS pg_prewarm");
    // The table's own TOAST relation holds descriptors that are too wide for a page.
    work.exec(
        "SELECT pg_prewarm(oid) FROM pg_class WHERE oid IN (SELECT unnest(ARRAY["
        "'" +
        system_.index() +
        "'::regclass::oid, oid, reltoastrelid]) FROM pg_class "
        "WHERE relname = '" +
        system_.table() + "')");
    std::string plan;
    const std::string text = work.quote(text_value(set_.queries.row(0), set_.queries.dims));
    std::string statement = query();
    statement.replace(statement.find("$1"), 2, text);
    for (const auto& line : work.exec("EXPLAIN " + statement))
        plan += line[0].as<std::string>() + "\n";
    if (plan.find("Index Scan using " + system_.index()) == std::string::npos)
        throw std::runtime_error("the plan does not use the index:\n" + plan);
    work.commit();
    Answers answers(set_.queries.count());
    std::vector<double> latencies_us(set_.queries.count());
    for (const auto& client : clients_) {
        pqxx::nontransaction(*client).exec("SET " + system_.knob + " = " +
                                           std::to_string(system_.knobs.back()));
        ask(*client, 0, set_.queries.count(), answers, latencies_us);
    }
}

void BenchTable::ask(pqxx::connection& connection, uint32_t begin, uint32_t end, Answers& answers,
                     std::vector<double>& latencies_us) {
    pqxx::nontransaction work(connection);
    for (uint32_t query = begin; query < end; ++query) {
        const auto start = Clock::now();
        const pqxx::result rows = exec_prepared(work, "search", values_[query]);
        latencies_us[query] = 1e6 * seconds_since(start);
        answers[query].clear();
        for (const auto& row : rows)
            answers[query].push_back(row[0].as<uint32_t>());
    }
}

BenchPoint BenchTable::search(uint32_t knob, uint32_t client_count, const GroundTruth& truth,
                              std::vector<double>& latencies_us) {
    const uint32_t query_count = set_.queries.count();
    Answers answers(query_count);
    std::vector<double> latencies(query_count);
    for (uint32_t client = 0; client < client_count; ++client)
        pqxx::nontransaction(*clients_[client])
            .exec("SET " + system_.knob + " = " + std::to_string(knob));
    const auto begin = Clock::now();
    {
        std::vector<std::jthread> threads;
        for (uint32_t client = 1; client < client_count; ++client) {
            threads.emplace_back([&, client] {
                ask(*clients_[client], query_count * client / client_count,
                    query_count * (client + 1) / client_count, answers, latencies);
            });
        }
        ask(*clients_[0], 0, query_count / client_count, answers, latencies);
    }
    BenchPoint point;
    point.queries_per_second = query_count / seconds_since(begin);
    point.client_count = client_count;
    point.knob = knob;
    for (uint32_t query = 0; query < query_count; ++query)
        point.recall += truth.recall(query, answers[query], kNeighbours) / query_count;
    latencies_us.insert(latencies_us.end(), latencies.begin(), latencies.end());
    return point;
}

double BenchTable::insert(uint32_t begin, uint32_t end) {
    std::vector<BinaryParameter> values;
    for (uint32_t i = begin; i < end; ++i)
        values.push_back(binary_value(set_.inserts.row(i), set_.inserts.dims));
    pqxx::nontransaction work(*clients_[0]);
    const auto start = Clock::now();
    for (uint32_t i = begin; i < end; ++i)
        exec_prepared(work, "insert", set_.base.count() + i, values[i - begin]);
    return seconds_since(start);
}

}  // namespace lookalike
