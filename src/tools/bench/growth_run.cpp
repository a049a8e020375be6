#include "tools/bench/growth_run.h"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>

#include "core/vector/distance_kernels.h"
#include "tools/bench/growth_result.h"
#include "tools/bench/growth_table.h"
#include "tools/bench/growth_truth.h"

namespace lookalike {
namespace {

constexpr uint32_t kCheckpoints[] = {10000, 50000, 100000, 300000, 1000000};
constexpr uint32_t kBatch = 10000;
constexpr uint32_t kSortClusters = 50;
constexpr double kComparedSettings[] = {0.95, 0.985};
constexpr double kRecallSettings[] = {0.9, 0.95, 0.99};

constexpr const char* kOneCopy = "copy";
constexpr const char* kBatches = "batches";
constexpr const char* kInserts = "inserts";
constexpr const char* kSorted = "sorted";
constexpr const char* kUpdate = "update";
constexpr const char* kDelete = "delete";

using Order = std::vector<uint32_t>;

// A number of rows at which is measured; between checkpoints only the recall is.
struct Stop {
    uint32_t rows;
    bool is_checkpoint;
};

std::vector<Stop> make_stops(uint32_t row_count) {
    std::vector<Stop> stops;
    uint32_t last = 0;
    const auto add = [&](uint32_t rows) {
        stops.push_back({last + (rows - last) / 2, false});
        stops.push_back({rows, true});
        last = rows;
    };
    for (const uint32_t checkpoint : kCheckpoints)
        if (checkpoint < row_count) add(checkpoint);
    add(row_count);
    return stops;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

// Cluster by cluster, a cluster being the rows that are nearest to one of some rows drawn.
Order sorted_by_cluster(const Rows& rows) {
    std::mt19937_64 random(20);
    std::vector<const float*> centres;
    for (uint32_t i = 0; i < kSortClusters; ++i)
        centres.push_back(rows.row(random() % rows.count()));
    std::vector<uint32_t> cluster(rows.count());
    for (uint32_t row = 0; row < rows.count(); ++row) {
        float least = std::numeric_limits<float>::infinity();
        for (uint32_t i = 0; i < kSortClusters; ++i) {
            const float distance = l2_squared(rows.row(row), centres[i], rows.dims);
            if (distance >= least) continue;
            least = distance;
            cluster[row] = i;
        }
    }
    Order order(rows.count());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, {}, [&](uint32_t row) { return cluster[row]; });
    return order;
}

class GrowthRun {
  public:
    GrowthRun(const GrowthRunOptions& options, const Dataset& set);
    void run(const std::string& history);
    const GrowthResult& result() const { return result_; }

  private:
    GrowthTruth make_truth(const Order& order, const std::vector<uint32_t>& sizes,
                           const std::string& name) const;
    void grow(const std::string& history, const Order& order);
    void append(const std::string& history, std::span<const uint32_t> rows,
                GrowthCheckpoint& point);
    void load(const std::string& history);
    void load_without_index(uint32_t row_count, double into_index_seconds);
    void measure(GrowthCheckpoint& point, const GrowthTruth& truth);
    void measure_recalls(GrowthCheckpoint& point, const GrowthTruth& truth);
    void compare(GrowthCheckpoint& point, const GrowthTruth& truth);
    double recall(const GrowthTruth& truth, uint32_t size, const GrowthSamples& samples) const;
    void finish(GrowthCheckpoint point);

    const GrowthRunOptions& options_;
    const Dataset& set_;
    std::vector<Stop> stops_;
    Order as_it_lies_;
    GrowthTable table_;
    GrowthResult result_;
};

GrowthRun::GrowthRun(const GrowthRunOptions& options, const Dataset& set)
    : options_(options),
      set_(set),
      stops_(make_stops(set.base.count())),
      as_it_lies_(set.base.count()),
      table_(set) {
    std::iota(as_it_lies_.begin(), as_it_lies_.end(), 0);
    result_.set = set.name;
    result_.dims = set.base.dims;
    result_.query_count = set.queries.count();
    pqxx::connection connection;
    result_.server =
        pqxx::nontransaction(connection).exec("SHOW server_version").at(0).at(0).as<std::string>();
}

GrowthTruth GrowthRun::make_truth(const Order& order, const std::vector<uint32_t>& sizes,
                                  const std::string& name) const {
    return GrowthTruth(set_, order, sizes, options_.set / ("truth-growth-" + name));
}

void GrowthRun::run(const std::string& history) {
    if (history == kBatches || history == kInserts)
        grow(history, as_it_lies_);
    else if (history == kSorted)
        grow(history, sorted_by_cluster(set_.base));
    else
        load(history);
}

// Histories that go on from one stop to the next.
void GrowthRun::grow(const std::string& history, const Order& order) {
    std::vector<uint32_t> sizes;
    for (const Stop& stop : stops_)
        sizes.push_back(stop.rows);
    const GrowthTruth truth =
        make_truth(order, sizes, history == kSorted ? "sorted" : "as-it-lies");
    table_.create(true);
    uint32_t loaded = 0;
    for (const Stop& stop : stops_) {
        GrowthCheckpoint point{.history = history, .loaded_rows = stop.rows, .rows = stop.rows};
        append(history, std::span(order).subspan(loaded, stop.rows - loaded), point);
        loaded = stop.rows;
        measure(point, truth);
        if (stop.is_checkpoint) compare(point, truth);
        finish(std::move(point));
    }
}

void GrowthRun::append(const std::string& history, std::span<const uint32_t> rows,
                       GrowthCheckpoint& point) {
    if (history == kInserts) {
        std::vector<double> latencies_ms;
        point.seconds = table_.insert(rows, options_.client_count, latencies_ms);
        point.inserts = summarise_inserts(std::move(latencies_ms));
        point.inserts.client_count = options_.client_count;
        point.inserts.per_second = static_cast<double>(rows.size()) / point.seconds;
        return;
    }
    for (size_t begin = 0; begin < rows.size(); begin += kBatch)
        point.seconds +=
            table_.copy(rows.subspan(begin, std::min<size_t>(kBatch, rows.size() - begin)));
}

// Histories that begin anew at each checkpoint.
void GrowthRun::load(const std::string& history) {
    const uint32_t left = history == kDelete ? 10 : 1;  // one of so many rows
    Order order;
    for (uint32_t row = 0; row < set_.base.count(); row += left)
        order.push_back(row);
    std::vector<uint32_t> sizes;
    for (const Stop& stop : stops_)
        if (stop.is_checkpoint) sizes.push_back((stop.rows + left - 1) / left);
    const GrowthTruth truth = make_truth(order, sizes, left == 1 ? "loaded" : "left");
    for (const Stop& stop : stops_) {
        if (!stop.is_checkpoint) continue;
        GrowthCheckpoint point{
            .history = history, .loaded_rows = stop.rows, .rows = (stop.rows + left - 1) / left};
        table_.create(true);
        point.seconds = table_.copy(std::span(as_it_lies_).first(stop.rows));
        if (history == kUpdate) point.seconds = table_.update_all();
        if (history == kDelete) point.seconds = table_.delete_nine_of_ten();
        if (history != kOneCopy) point.vacuum_seconds = table_.vacuum();
        const double seconds = point.seconds;
        measure(point, truth);
        compare(point, truth);
        finish(std::move(point));
        if (history == kOneCopy) load_without_index(stop.rows, seconds);
    }
}

void GrowthRun::load_without_index(uint32_t row_count, double into_index_seconds) {
    table_.create(false);
    GrowthLoad load{.rows = row_count, .into_index_seconds = into_index_seconds};
    load.copy_seconds = table_.copy(std::span(as_it_lies_).first(row_count));
    load.build_seconds = table_.build(kFreshIndex);
    result_.loads.push_back(load);
}

double GrowthRun::recall(const GrowthTruth& truth, uint32_t size,
                         const GrowthSamples& samples) const {
    double sum = 0;
    for (uint32_t query = 0; query < samples.answers.size(); ++query)
        sum += truth.recall(size, query, samples.answers[query]);
    return sum / static_cast<double>(samples.answers.size());
}

// Before another index is there.
void GrowthRun::measure(GrowthCheckpoint& point, const GrowthTruth& truth) {
    table_.settle();
    point.grown_lists = table_.list_count(kGrownIndex);
    point.grown_bytes = table_.byte_count(kGrownIndex);
    measure_recalls(point, truth);
}

void GrowthRun::measure_recalls(GrowthCheckpoint& point, const GrowthTruth& truth) {
    for (const double setting : kRecallSettings) {
        GrowthSamples samples;
        table_.take_turn(kGrownIndex, setting, options_.seconds, samples);
        point.recalls.push_back({setting, recall(truth, point.rows, samples)});
    }
}

// The two take turns, so that a slow minute of the machine meets both.
void GrowthRun::compare(GrowthCheckpoint& point, const GrowthTruth& truth) {
    table_.build(kFreshIndex);
    table_.settle();
    point.fresh_lists = table_.list_count(kFreshIndex);
    point.fresh_bytes = table_.byte_count(kFreshIndex);
    for (const double setting : kComparedSettings) {
        GrowthSamples grown, fresh;
        std::vector<double> ratios;
        for (uint32_t round = 0; round < options_.rounds; ++round) {
            table_.take_turn(kGrownIndex, setting, options_.seconds, grown);
            table_.take_turn(kFreshIndex, setting, options_.seconds, fresh);
            ratios.push_back(grown.per_second.back() / fresh.per_second.back());
        }
        point.searches.push_back({.setting = setting,
                                  .grown_per_second = median(grown.per_second),
                                  .fresh_per_second = median(fresh.per_second),
                                  .ratio = median(ratios),
                                  .grown_recall = recall(truth, point.rows, grown),
                                  .fresh_recall = recall(truth, point.rows, fresh)});
    }
    table_.drop(kFreshIndex);
}

void GrowthRun::finish(GrowthCheckpoint point) {
    std::cout << point.history << ", " << point.rows << " rows: " << point.grown_lists << " lists";
    for (const GrowthSearch& search : point.searches)
        std::cout << "; " << search.grown_per_second << " queries a second, built "
                  << search.fresh_per_second;
    std::cout << std::endl;
    result_.checkpoints.push_back(std::move(point));
}

void write_json(const std::filesystem::path& file, const GrowthResult& result) {
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
    std::ofstream out(file);
    out << growth_json(result);
    if (!out.flush()) throw std::runtime_error("could not write \"" + file.string() + "\"");
}

}  // namespace

const std::vector<std::string>& all_histories() {
    static const std::vector<std::string> histories = {kOneCopy, kBatches, kInserts,
                                                       kSorted,  kUpdate,  kDelete};
    return histories;
}

void run_growth_bench(const GrowthRunOptions& options) {
    Dataset set = read_dataset(options.set, options.row_limit, options.query_limit);
    if (set.is_cosine) {
        // Orders equally, and lets one kind of ground truth serve both.
        normalise(set.base);
        normalise(set.queries);
    }
    GrowthRun run(options, set);
    for (const std::string& history : options.histories) {
        run.run(history);
        write_json(options.json, run.result());  // what there is, should the next one fail
    }
    std::cout << '\n' << growth_tables(run.result());
}

}  // namespace lookalike
