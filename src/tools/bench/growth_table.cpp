#include "tools/bench/growth_table.h"

#include <atomic>
#include <chrono>
#include <future>
#include <limits>
#include <stdexcept>

#include "tools/bench/system.h"

namespace lookalike {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kSearch = "growth_search";
constexpr const char* kInsert = "growth_insert";
// What is measured is the index, so the plan is fixed.
constexpr const char* kSettings =
    "SET maintenance_work_mem = '2GB'; SET plan_cache_mode = force_generic_plan; SET jit = off;"
    "SET enable_seqscan = off; SET client_min_messages = warning";
// An UPDATE that leaves the descriptor alone makes new entries only if another indexed column
// changes, and this one tells the row's position all the same.
constexpr uint32_t kUpdated = 1000000000;
constexpr uint32_t kUnmeasuredQueries = 50;
constexpr double kUnmeasuredSeconds = 0.5;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

double timed(pqxx::connection& connection, const std::string& statement) {
    const auto begin = Clock::now();
    pqxx::nontransaction(connection).exec(statement);
    return seconds_since(begin);
}

}  // namespace

GrowthTable::GrowthTable(const Dataset& set) : set_(set) {
    for (uint32_t i = 0; i < set.queries.count(); ++i)
        values_.push_back(binary_value(set.queries.row(i), set.queries.dims));
    connect();
    {
        pqxx::nontransaction work(*connection_);
        work.exec("CREATE EXTENSION IF NOT EXISTS lookalike");
        work.exec("CREATE EXTENSION IF NOT EXISTS pg_prewarm");
    }
    create(false);
    prepare();
}

void GrowthTable::connect() {
    connection_ = std::make_unique<pqxx::connection>();
    pqxx::nontransaction(*connection_).exec(kSettings);
}

// Holds for later tables of the name.
void GrowthTable::prepare() {
    connection_->prepare(kSearch, std::string("SELECT id FROM ") + kGrowthTable +
                                      " ORDER BY features " + operator_name() + " $1 LIMIT 10");
}

void GrowthTable::reconnect() {
    connect();
    prepare();
}

void GrowthTable::create(bool with_index) {
    {
        pqxx::nontransaction work(*connection_);
        work.exec(std::string("DROP TABLE IF EXISTS ") + kGrowthTable);
        work.exec(std::string("CREATE TABLE ") + kGrowthTable + " (id int PRIMARY KEY, features " +
                  "descriptor(" + std::to_string(set_.base.dims) + "))");
    }
    if (with_index) build(kGrownIndex);
}

double GrowthTable::copy(std::span<const uint32_t> rows) {
    const auto begin = Clock::now();
    pqxx::work work(*connection_);
    pqxx::stream_to stream = stream_into(work, kGrowthTable);
    for (const uint32_t row : rows)
        stream << std::make_tuple(row, text_value(set_.base.row(row), set_.base.dims));
    stream.complete();
    work.commit();
    return seconds_since(begin);
}

double GrowthTable::update_all() {
    return timed(*connection_, std::string("UPDATE ") + kGrowthTable + " SET id = id + " +
                                   std::to_string(kUpdated));
}

double GrowthTable::delete_nine_of_ten() {
    return timed(*connection_, std::string("DELETE FROM ") + kGrowthTable + " WHERE id % 10 <> 0");
}

double GrowthTable::vacuum() {
    return timed(*connection_, std::string("VACUUM ") + kGrowthTable);
}

double GrowthTable::insert(std::span<const uint32_t> rows, uint32_t client_count,
                           std::vector<double>& latencies_ms) {
    std::vector<BinaryParameter> values;
    for (const uint32_t row : rows)
        values.push_back(binary_value(set_.base.row(row), set_.base.dims));
    latencies_ms.resize(rows.size());
    std::vector<std::unique_ptr<pqxx::connection>> clients;
    for (uint32_t i = 0; i < client_count; ++i) {
        clients.push_back(std::make_unique<pqxx::connection>());
        clients.back()->prepare(kInsert,
                                std::string("INSERT INTO ") + kGrowthTable + " VALUES ($1, $2)");
    }
    std::atomic<size_t> next = 0;
    const auto work_off = [&](pqxx::connection& client) {
        pqxx::nontransaction work(client);
        for (size_t i = next++; i < rows.size(); i = next++) {
            const auto start = Clock::now();
            exec_prepared(work, kInsert, rows[i], values[i]);
            latencies_ms[i] = 1e3 * seconds_since(start);
        }
    };
    const auto begin = Clock::now();
    std::vector<std::future<void>> running;
    for (const auto& client : clients)
        running.push_back(std::async(std::launch::async, work_off, std::ref(*client)));
    for (auto& one : running)
        one.get();
    return seconds_since(begin);
}

double GrowthTable::build(const char* index) {
    const char* op_class = set_.is_cosine ? "descriptor_cosine_ops" : "descriptor_l2_ops";
    return timed(*connection_, std::string("CREATE INDEX ") + index + " ON " + kGrowthTable +
                                   " USING faiss (features " + op_class + ")");
}

void GrowthTable::drop(const char* index) {
    pqxx::nontransaction(*connection_).exec(std::string("DROP INDEX ") + index);
}

uint64_t GrowthTable::list_count(const char* index) {
    return pqxx::nontransaction(*connection_)
        .exec(std::string("SELECT lists FROM faiss_index_info('") + index + "')")
        .at(0)
        .at(0)
        .as<uint64_t>();
}

uint64_t GrowthTable::byte_count(const char* relation) {
    return pqxx::nontransaction(*connection_)
        .exec(std::string("SELECT pg_relation_size('") + relation + "')")
        .at(0)
        .at(0)
        .as<uint64_t>();
}

void GrowthTable::settle() {
    pqxx::nontransaction work(*connection_);
    work.exec(std::string("ANALYZE ") + kGrowthTable);
    // The table's TOAST relation holds descriptors that are too wide for a page.
    work.exec(
        std::string("SELECT pg_prewarm(oid) FROM pg_class WHERE relkind IN ('r', 't', 'i') AND "
                    "(oid = '") +
        kGrowthTable + "'::regclass OR oid = (SELECT reltoastrelid FROM pg_class WHERE oid = '" +
        kGrowthTable +
        "'::regclass) OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = '" +
        kGrowthTable + "'::regclass))");
}

bool GrowthTable::is_there(pqxx::transaction_base& work, const char* index) {
    return !work.exec("SELECT WHERE to_regclass(" + work.quote(index) + ") IS NOT NULL").empty();
}

std::vector<uint32_t> GrowthTable::ask(pqxx::transaction_base& work, uint32_t query) {
    std::vector<uint32_t> ids;
    for (const auto& row : exec_prepared(work, kSearch, values_[query]))
        ids.push_back(row[0].as<uint32_t>() % kUpdated);
    return ids;
}

// The plan is made, and what the other index left in the processor's caches is gone.
void GrowthTable::warm(pqxx::transaction_base& work, const char* index, GrowthSamples& samples) {
    const auto begin = Clock::now();
    const uint32_t query_count = set_.queries.count();
    for (uint32_t i = 0; i < kUnmeasuredQueries && seconds_since(begin) < kUnmeasuredSeconds; ++i) {
        ask(work, query_count - 1 - i % query_count);
        ++samples.asked;
    }
    std::string plan;
    const std::string text = work.quote(text_value(set_.queries.row(0), set_.queries.dims));
    for (const auto& line : work.exec(std::string("EXPLAIN EXECUTE ") + kSearch + "(" + text + ")"))
        plan += line[0].as<std::string>() + "\n";
    if (plan.find(std::string("Index Scan using ") + index) == std::string::npos)
        throw std::runtime_error(std::string("the plan does not use ") + index + ":\n" + plan);
}

void GrowthTable::ask_some(pqxx::transaction_base& work, double seconds, GrowthSamples& samples) {
    const uint32_t query_count = set_.queries.count();
    const auto first = static_cast<uint32_t>(samples.answers.size());
    uint32_t asked = 0;
    const auto begin = Clock::now();
    while (asked < query_count && seconds_since(begin) < seconds) {
        const uint32_t query = (first + asked++) % query_count;
        const auto start = Clock::now();
        auto ids = ask(work, query);
        samples.latencies_ms.push_back(1e3 * seconds_since(start));
        if (query == samples.answers.size()) samples.answers.push_back(std::move(ids));
    }
    samples.asked += asked;
    samples.per_second.push_back(asked / seconds_since(begin));
}

void GrowthTable::take_turn(const char* index, double recall, double seconds,
                            GrowthSamples& samples) {
    const char* other = index == kGrownIndex ? kFreshIndex : kGrownIndex;
    pqxx::work work(*connection_);
    if (is_there(work, other)) work.exec(std::string("DROP INDEX ") + other);
    work.exec("SET LOCAL lookalike.recall = " + std::to_string(recall));
    warm(work, index, samples);
    ask_some(work, seconds, samples);
    work.abort();  // the hidden index is back
}

void GrowthTable::take_cold_turn(double recall, GrowthSamples& samples) {
    pqxx::work work(*connection_);
    work.exec("SET LOCAL lookalike.recall = " + std::to_string(recall));
    ask_some(work, std::numeric_limits<double>::infinity(), samples);
}

}  // namespace lookalike
