#include "tools/bench/filter_turn.h"

#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>

namespace lookalike {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kStatement = "filtered_search";
constexpr const char* kQueryCanceled = "57014";
constexpr int kTimeoutSeconds = 60;
constexpr uint32_t kUnmeasuredQueries = 20;
constexpr double kUnmeasuredSeconds = 1;
constexpr uint32_t kExplainedQueries = 20;
// A fast system asks its queries again: what it finds when its turn begins, another one's data in
// the processor's caches, is not what it works with.
constexpr double kFewestSeconds = 0.5;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

// Nothing when the query timed out: the transaction is then over.
std::optional<std::vector<uint32_t>> ask(pqxx::transaction_base& work, const FilterTurn& turn,
                                         uint32_t query) {
    pqxx::result rows;
    try {
        rows = turn.wanted.empty()
                   ? exec_prepared(work, kStatement, turn.values[query])
                   : exec_prepared(work, kStatement, turn.values[query], int{turn.wanted[query]});
    } catch (const pqxx::sql_error& error) {
        if (error.sqlstate() != kQueryCanceled) throw;
        return std::nullopt;
    }
    std::vector<uint32_t> ids;
    for (const auto& row : rows)
        ids.push_back(row[0].as<uint32_t>());
    return ids;
}

std::string kind_of_plan(pqxx::transaction_base& work, const FilterTurn& turn, uint32_t query) {
    std::string arguments = work.quote(turn.texts[query]);
    if (!turn.wanted.empty()) arguments += ", " + std::to_string(turn.wanted[query]);
    std::string plan;
    for (const auto& line :
         work.exec("EXPLAIN EXECUTE " + std::string(kStatement) + "(" + arguments + ")"))
        plan += line[0].as<std::string>() + "\n";
    const std::string kind = turn.system.table->kind_of_plan(plan);
    if (turn.system.kinds.size() == 1 && kind != turn.system.kinds.front())
        throw std::runtime_error(turn.system.name + " has another plan:\n" + plan);
    return kind;
}

// "btree", or "btree 18, plain index 2" when queries differ.
std::string summarise_plans(pqxx::transaction_base& work, const FilterTurn& turn) {
    std::map<std::string, uint32_t> counts;
    for (uint32_t query = 0; query < std::min(kExplainedQueries, turn.query_count); ++query)
        ++counts[kind_of_plan(work, turn, query)];
    if (counts.size() == 1) return counts.begin()->first;
    std::string text;
    for (const auto& [kind, count] : counts)
        text += (text.empty() ? "" : ", ") + kind + " " + std::to_string(count);
    return text;
}

// After some queries the server has made up its mind about a generic plan, and caches are warm.
// False when one timed out.
bool warm(pqxx::transaction_base& work, const FilterTurn& turn) {
    const auto begin = Clock::now();
    for (uint32_t i = 0; i < kUnmeasuredQueries; ++i) {
        if (!ask(work, turn, turn.query_count - 1 - i % turn.query_count)) return false;
        if (seconds_since(begin) > kUnmeasuredSeconds) break;
    }
    return true;
}

// Goes on where the turn before ran out of time, so that slow systems answer different queries.
void measure(pqxx::transaction_base& work, const FilterTurn& turn, FilterSamples& samples) {
    const auto first = static_cast<uint32_t>(samples.answers.size());
    const auto begin = Clock::now();
    uint32_t asked = 0;
    while ((asked < turn.query_count || seconds_since(begin) < kFewestSeconds) &&
           seconds_since(begin) < turn.seconds && samples.timeout_count == 0) {
        const uint32_t query = (first + asked++) % turn.query_count;
        const auto start = Clock::now();
        auto ids = ask(work, turn, query);
        samples.latencies_us.push_back(1e6 * seconds_since(start));
        samples.timeout_count += !ids;
        if (query == samples.answers.size())
            samples.answers.push_back(ids.value_or(std::vector<uint32_t>()));
    }
    samples.queries_per_second.push_back(asked / seconds_since(begin));
}

// A query that was stopped before anything was measured stands for the turn.
void count_stopped(FilterSamples& samples) {
    ++samples.timeout_count;
    samples.latencies_us.push_back(1e6 * kTimeoutSeconds);
    samples.queries_per_second.push_back(1.0 / kTimeoutSeconds);
    if (!samples.answers.empty()) return;
    samples.answers.emplace_back();
    samples.plan = "stopped";
}

}  // namespace

void take_turn(pqxx::connection& connection, const FilterTurn& turn, FilterSamples& samples) {
    const FilterSystem& system = turn.system;
    connection.prepare(kStatement, system.table->query(turn.condition));
    {
        pqxx::work work(connection);
        system.table->hide_all_but(work, system.kinds, turn.attribute);
        work.exec(system.settings + "SET LOCAL statement_timeout = '" +
                  std::to_string(kTimeoutSeconds) + "s'");
        if (warm(work, turn)) {
            if (samples.plan.empty()) samples.plan = summarise_plans(work, turn);
            measure(work, turn, samples);
        } else {
            count_stopped(samples);
        }
        work.abort();
    }
    connection.unprepare(kStatement);
}

}  // namespace lookalike
