#include "tools/bench/filter_run.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "tools/bench/filter_result.h"
#include "tools/bench/filter_table.h"
#include "tools/bench/filter_truth.h"
#include "tools/bench/filter_turn.h"
#include "tools/bench/report.h"
#include "tools/bench/result.h"
#include "tools/bench/table.h"

namespace lookalike {
namespace {

constexpr uint32_t kPartialValueCounts[] = {10, 100};
constexpr double kRecallTargets[] = {0.9, 0.95, 0.99};

// Kinds of index.
constexpr const char* kFilterKind = "filter index";
constexpr const char* kPlainKind = "plain index";
constexpr const char* kBtreeKind = "btree";
constexpr const char* kHnswKind = "HNSW";
constexpr const char* kPartialKind = "partial HNSW";

constexpr const char* kSessionSettings =
    "SET maintenance_work_mem = '2GB'; SET jit = off; SET client_min_messages = warning;";
// For a system whose plan is given.
constexpr const char* kGivenPlan =
    "SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan;";
constexpr const char* kStrictOrder = "SET LOCAL hnsw.iterative_scan = strict_order;";

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

bool has_partial_index(const FilterColumn& column) {
    return column.name.starts_with(kIndependent) &&
           std::ranges::count(kPartialValueCounts, column.value_count) > 0;
}

std::vector<FilterIndex> our_indexes(const FilterTable& table,
                                     const std::vector<FilterColumn>& columns) {
    const std::string faiss = "USING faiss (" + table.indexed_features();
    std::vector<FilterIndex> indexes = {{"plain", kPlainKind, faiss + ")"}};
    // One for each half of the columns: an index holds at most eight.
    FilterIndex independent{"independent", kFilterKind, faiss};
    FilterIndex correlated{"correlated", kFilterKind, faiss};
    for (const FilterColumn& column : columns) {
        FilterIndex& half = column.name.starts_with(kIndependent) ? independent : correlated;
        half.definition += ", " + column.name;
        half.attributes.push_back(column.name);
    }
    for (FilterIndex* half : {&independent, &correlated}) {
        half->definition += ")";
        indexes.push_back(*half);
    }
    for (const FilterColumn& column : columns) {
        indexes.push_back(
            {"btree_" + column.name, kBtreeKind, "(" + column.name + ")", {column.name}});
    }
    return indexes;
}

std::vector<FilterIndex> pgvector_indexes(const FilterTable& table,
                                          const std::vector<FilterColumn>& columns) {
    const std::string hnsw = "USING hnsw (" + table.indexed_features() + ")";
    std::vector<FilterIndex> indexes = {{"hnsw", kHnswKind, hnsw}};
    for (const FilterColumn& column : columns) {
        if (has_partial_index(column)) {
            indexes.push_back({"hnsw_" + column.name,
                               kPartialKind,
                               hnsw + " WHERE " + column.name + " = 0",
                               {column.name}});
        }
    }
    return indexes;
}

class FilterBench {
  public:
    explicit FilterBench(const FilterRunOptions& options);
    FilterResult run();

  private:
    void add_ours(bool reuse);
    void add_pgvector(bool reuse);
    std::vector<RecallPoint> measure_recall_setting();
    FilterCell measure_cell(size_t index);
    void measure_systems(const std::vector<FilterSystem>& systems, const std::string& attribute,
                         const std::string& condition, const AttributeValues& wanted,
                         size_t truth_index, FilterCell& cell);
    FilterMeasure measure_of(const FilterSystem& system, const FilterSamples& samples,
                             size_t truth_index) const;
    double median_matches(size_t truth_index) const;

    FilterRunOptions options_;
    Dataset set_;
    uint32_t query_count_;
    FilterWorkload workload_;
    std::vector<BinaryParameter> values_;  ///< of all queries
    std::vector<std::string> texts_;
    pqxx::connection connection_;
    std::unique_ptr<FilterTable> ours_;
    std::unique_ptr<FilterTable> pgvector_;  ///< null when the server does not have it
    std::vector<FilterSystem> systems_;      ///< that take part in every cell
    std::unique_ptr<FilterTruth> truth_;     ///< of the cells, then of the same asking for 0
    FilterResult result_;
};

const BenchSystem& find_system(std::string_view extension) {
    return *std::ranges::find(all_systems(), extension, &BenchSystem::extension);
}

Dataset read_set(const FilterRunOptions& options) {
    Dataset set = read_dataset(options.set, options.row_limit, UINT32_MAX);
    if (set.is_cosine) {
        normalise(set.base);
        normalise(set.queries);
    }
    return set;
}

FilterBench::FilterBench(const FilterRunOptions& options)
    : options_(options),
      set_(read_set(options)),
      query_count_(std::min(options.query_count, set_.queries.count())),
      workload_(make_workload(set_, query_count_)) {
    for (uint32_t query = 0; query < set_.queries.count(); ++query) {
        values_.push_back(binary_value(set_.queries.row(query), set_.queries.dims));
        texts_.push_back(text_value(set_.queries.row(query), set_.queries.dims));
    }
    pqxx::nontransaction(connection_).exec(kSessionSettings);
    add_ours(options.reuse);
    add_pgvector(options.reuse);
    std::cout << "exact answers" << std::endl;
    std::vector<FilterCondition> conditions;
    for (const FilterQuestions& cell : workload_.cells)
        conditions.push_back({&workload_.columns[cell.column].values, cell.wanted});
    for (const FilterQuestions& cell : workload_.cells) {
        conditions.push_back(
            {&workload_.columns[cell.column].values, AttributeValues(query_count_)});
    }
    truth_ = std::make_unique<FilterTruth>(set_, std::move(conditions), kNeighbours);
}

void FilterBench::add_ours(bool reuse) {
    const BenchSystem& system = find_system("lookalike");
    const auto version = create_extension(connection_, system);
    if (!version) throw std::runtime_error("the server does not have this extension");
    result_.description = "lookalike " + *version;
    ours_ = std::make_unique<FilterTable>(connection_, system, set_, workload_.columns);
    ours_->prepare(our_indexes(*ours_, workload_.columns), reuse);
    systems_ = {{kDefaultChoice, ours_.get(), {}, ""},
                {kFilterIndex, ours_.get(), {kFilterKind}, kGivenPlan},
                {kPlainIndex, ours_.get(), {kPlainKind}, kGivenPlan},
                {kExact, ours_.get(), {kBtreeKind}, kGivenPlan}};
}

void FilterBench::add_pgvector(bool reuse) {
    const BenchSystem& system = find_system("vector");
    const auto version = create_extension(connection_, system);
    if (!version) {
        std::cout << "pgvector: not in this server" << std::endl;
        return;
    }
    result_.description += ", pgvector " + *version;
    pgvector_ = std::make_unique<FilterTable>(connection_, system, set_, workload_.columns);
    pgvector_->prepare(pgvector_indexes(*pgvector_, workload_.columns), reuse);
    systems_.push_back(
        {kPgvector, pgvector_.get(), {kHnswKind}, std::string(kGivenPlan) + kStrictOrder});
}

FilterResult FilterBench::run() {
    result_.description += "; " + std::to_string(set_.base.count()) + " rows of " + set_.name +
                           ", " + std::to_string(query_count_) + " queries a cell, " +
                           std::to_string(options_.rounds) + " rounds.";
    result_.row_count = set_.base.count();
    result_.recall_points = measure_recall_setting();
    for (size_t i = 0; i < workload_.cells.size(); ++i)
        result_.cells.push_back(measure_cell(i));
    return result_;
}

std::vector<RecallPoint> FilterBench::measure_recall_setting() {
    const GroundTruth truth(set_, options_.set / "truth");
    std::vector<RecallPoint> points;
    for (const double target : kRecallTargets) {
        const FilterSystem system{kPlainIndex,
                                  ours_.get(),
                                  {kPlainKind},
                                  std::string(kGivenPlan) + "SET LOCAL lookalike.recall = " +
                                      std::to_string(target) + ";"};
        FilterSamples samples;
        take_turn(connection_, {system, "", "", values_, texts_, {}, set_.queries.count(), 600},
                  samples);
        RecallPoint point{target, 0};
        for (uint32_t query = 0; query < samples.answers.size(); ++query)
            point.recall += truth.recall(query, samples.answers[query], kNeighbours);
        point.recall /= set_.queries.count();
        std::cout << "lookalike.recall " << target << ": " << point.recall << std::endl;
        points.push_back(point);
    }
    return points;
}

FilterCell FilterBench::measure_cell(size_t index) {
    const FilterQuestions& questions = workload_.cells[index];
    const FilterColumn& column = workload_.columns[questions.column];
    FilterCell cell{questions.attribute, column.value_count, median_matches(index), {}};
    std::cout << "== " << cell.attribute << ", one in " << cell.value_count << std::endl;
    measure_systems(systems_, column.name, column.name + " = $2", questions.wanted, index, cell);
    if (pgvector_ && has_partial_index(column)) {
        const FilterSystem partial{kPgvectorPartial,
                                   pgvector_.get(),
                                   {kPartialKind},
                                   std::string(kGivenPlan) + kStrictOrder};
        measure_systems({partial}, column.name, column.name + " = 0", {},
                        workload_.cells.size() + index, cell);
    }
    return cell;
}

void FilterBench::measure_systems(const std::vector<FilterSystem>& systems,
                                  const std::string& attribute, const std::string& condition,
                                  const AttributeValues& wanted, size_t truth_index,
                                  FilterCell& cell) {
    std::vector<FilterSamples> samples(systems.size());
    for (uint32_t round = 0; round < options_.rounds; ++round) {
        for (size_t i = 0; i < systems.size(); ++i) {
            if (samples[i].timeout_count > 0) continue;
            take_turn(connection_,
                      {systems[i], attribute, condition, values_, texts_, wanted, query_count_,
                       options_.seconds / options_.rounds},
                      samples[i]);
        }
    }
    for (size_t i = 0; i < systems.size(); ++i)
        cell.measures.push_back(measure_of(systems[i], samples[i], truth_index));
}

FilterMeasure FilterBench::measure_of(const FilterSystem& system, const FilterSamples& samples,
                                      size_t truth_index) const {
    FilterMeasure measure{.system = system.name, .plan = samples.plan};
    measure.timeout_count = samples.timeout_count;
    const BenchPoint point = summarise(samples.latencies_us);
    measure.p50_us = point.p50_us;
    measure.p99_us = point.p99_us;
    measure.queries_per_second = median(samples.queries_per_second);
    uint32_t fillable = 0, filled = 0;
    for (uint32_t query = 0; query < samples.answers.size(); ++query) {
        measure.recalls.push_back(truth_->recall(truth_index, query, samples.answers[query]));
        if (truth_->match_count(truth_index, query) < kNeighbours) continue;
        ++fillable;
        filled += samples.answers[query].size() == kNeighbours;
    }
    measure.filled = fillable == 0 ? 1 : static_cast<double>(filled) / fillable;
    std::cout << measure.system << " (" << measure.plan << "), " << measure.recalls.size()
              << " queries: filled " << measure.filled << ", recall " << measure.recall() << ", "
              << measure.queries_per_second << " queries a second, p50 " << measure.p50_us
              << " us, p99 " << measure.p99_us << " us" << std::endl;
    return measure;
}

double FilterBench::median_matches(size_t truth_index) const {
    std::vector<double> counts;
    for (uint32_t query = 0; query < query_count_; ++query)
        counts.push_back(truth_->match_count(truth_index, query));
    return median(std::move(counts));
}

}  // namespace

void run_filter_bench(const FilterRunOptions& options) {
    const FilterResult result = FilterBench(options).run();
    const std::string set = std::filesystem::absolute(options.set / ".").parent_path().filename();
    write_filter_result(options.results / kFilterResults / set, result);
}

}  // namespace lookalike
