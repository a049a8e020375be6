#include "tools/bench/scale_run.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <numeric>
#include <stdexcept>

#include "tools/bench/growth_result.h"
#include "tools/bench/growth_table.h"
#include "tools/bench/growth_truth.h"
#include "tools/bench/scale_result.h"
#include "tools/bench/server_processes.h"

namespace lookalike {
namespace {

// Of a backend so far; -1 where Linux does not say.
struct ReadBytes {
    double all = -1;   ///< read by calls: what was not in shared buffers
    double disk = -1;  ///< what was not in the system's memory, either
};

ReadBytes read_bytes(int pid) {
    ReadBytes bytes;
    std::ifstream io("/proc/" + std::to_string(pid) + "/io");
    std::string key;
    for (double value = 0; io >> key >> value;) {
        if (key == "rchar:") bytes.all = value;
        if (key == "read_bytes:") bytes.disk = value;
    }
    return bytes;
}

// Searches of one backend, and what they cost it.
class Meter {
  public:
    explicit Meter(int pid)
        : pid_(pid), seconds_(processor_seconds(pid)), bytes_(read_bytes(pid)) {}

    void read(double query_count, ScaleSearch& search) const {
        const ReadBytes now = read_bytes(pid_);
        search.processor_ms = 1e3 * (processor_seconds(pid_) - seconds_) / query_count;
        search.blocks = bytes_.all < 0 ? -1 : (now.all - bytes_.all) / 8192 / query_count;
        search.disk_bytes = bytes_.disk < 0 ? -1 : (now.disk - bytes_.disk) / query_count;
    }

  private:
    int pid_;
    double seconds_;
    ReadBytes bytes_;
};

std::string show(pqxx::connection& connection, const std::string& setting) {
    return pqxx::nontransaction(connection).exec("SHOW " + setting).at(0).at(0).as<std::string>();
}

class ScaleRun {
  public:
    ScaleRun(const ScaleRunOptions& options, const Dataset& set);
    void run(uint32_t row_count);
    const ScaleResult& result() const { return result_; }

  private:
    void build(ScalePoint& point);
    void search_warm(const std::string& state, ScalePoint& point);
    void search_cold(const std::string& state, ScalePoint& point);
    void restart(const std::string& state);
    void add(ScaleSearch search, const GrowthSamples& samples, ScalePoint& point);

    const ScaleRunOptions& options_;
    const Dataset& set_;
    std::vector<uint32_t> order_;
    GrowthTruth truth_;
    GrowthTable table_;
    ScaleResult result_;
};

std::vector<uint32_t> as_it_lies(uint32_t count) {
    std::vector<uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    return order;
}

ScaleRun::ScaleRun(const ScaleRunOptions& options, const Dataset& set)
    : options_(options),
      set_(set),
      order_(as_it_lies(set.base.count())),
      truth_(set, order_, options.sizes, options.set / "truth-scale"),
      table_(set) {
    result_ = {.set = set.name,
               .server = show(table_.connection(), "server_version"),
               .shared_buffers = show(table_.connection(), "shared_buffers"),
               .maintenance_work_mem = options.maintenance_work_mem,
               .dims = set.base.dims,
               .recall_setting = options.recall,
               .points = {}};
}

void ScaleRun::run(uint32_t row_count) {
    ScalePoint point{.rows = row_count};
    build(point);
    table_.settle();
    search_warm("warm", point);
    if (!options_.restart.empty()) {
        for (const std::string& state : options_.states) {
            restart(state);
            search_cold(state, point);
            search_warm(state + ", then warm", point);
        }
    }
    result_.points.push_back(std::move(point));
    if (!options_.restart.empty()) restart("warm");
}

void ScaleRun::build(ScalePoint& point) {
    table_.create(false);
    point.copy_seconds = table_.copy(std::span(order_).first(point.rows));
    table_.vacuum();
    const int backend = table_.connection().backendpid();
    pqxx::nontransaction(table_.connection())
        .exec("SET maintenance_work_mem = '" + options_.maintenance_work_mem + "'");
    {
        const PeakMemory memory(backend);
        const double before = processor_seconds_of_family(backend);
        point.build_seconds = table_.build(kFreshIndex);
        point.build_processor_seconds = processor_seconds_of_family(backend) - before;
        point.build_bytes = memory.bytes();
    }
    point.lists = table_.list_count(kFreshIndex);
    point.index_bytes = table_.byte_count(kFreshIndex);
    point.table_bytes = table_.byte_count(kGrowthTable);
    std::cout << point.rows << " rows: COPY " << point.copy_seconds << " s, CREATE INDEX "
              << point.build_seconds << " s (processor " << point.build_processor_seconds << " s), "
              << point.build_bytes / 1e6 << " MB" << std::endl;
}

void ScaleRun::search_warm(const std::string& state, ScalePoint& point) {
    GrowthSamples samples;
    // Not measured: every query once.
    table_.take_turn(kFreshIndex, options_.recall, options_.seconds, samples);
    samples = {};
    const Meter meter(table_.connection().backendpid());
    for (uint32_t round = 0; round < options_.rounds; ++round)
        table_.take_turn(kFreshIndex, options_.recall, options_.seconds, samples);
    ScaleSearch search{.state = state};
    // The turns' own queries that are not measured cost the same.
    meter.read(static_cast<double>(samples.asked), search);
    add(std::move(search), samples, point);
}

void ScaleRun::search_cold(const std::string& state, ScalePoint& point) {
    GrowthSamples samples;
    const Meter meter(table_.connection().backendpid());
    table_.take_cold_turn(options_.recall, samples);
    ScaleSearch search{.state = state};
    meter.read(static_cast<double>(samples.asked), search);
    add(std::move(search), samples, point);
}

void ScaleRun::restart(const std::string& state) {
    table_.disconnect();
    const std::string command = "'" + options_.restart + "' '" + state + "'";
    if (std::system(command.c_str()) != 0)
        throw std::runtime_error("could not restart the server: " + command);
    table_.reconnect();
}

void ScaleRun::add(ScaleSearch search, const GrowthSamples& samples, ScalePoint& point) {
    search.query_count = static_cast<uint32_t>(samples.answers.size());
    for (uint32_t query = 0; query < search.query_count; ++query)
        search.recall += truth_.recall(point.rows, query, samples.answers[query]) /
                         static_cast<double>(search.query_count);
    std::vector<double> speeds = samples.per_second;
    std::ranges::sort(speeds);
    search.per_second = speeds[speeds.size() / 2];
    const GrowthLatencies latencies = summarise_inserts(samples.latencies_ms);
    search.p50_ms = latencies.p50_ms;
    search.p99_ms = latencies.p99_ms;
    std::cout << point.rows << " rows, " << search.state << ": recall " << search.recall << ", "
              << search.per_second << " queries a second, p50 " << search.p50_ms << " ms, p99 "
              << search.p99_ms << " ms" << std::endl;
    point.searches.push_back(std::move(search));
}

void write_json(const std::filesystem::path& file, const ScaleResult& result) {
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
    std::ofstream out(file);
    out << scale_json(result);
    if (!out.flush()) throw std::runtime_error("could not write \"" + file.string() + "\"");
}

}  // namespace

void run_scale_bench(const ScaleRunOptions& given) {
    ScaleRunOptions options = given;
    std::ranges::sort(options.sizes);
    Dataset set = read_dataset(options.set, options.sizes.back(), options.query_limit);
    // A set may have fewer rows than the largest size: then all of them are measured.
    for (uint32_t& size : options.sizes)
        size = std::min(size, set.base.count());
    options.sizes.erase(std::ranges::unique(options.sizes).begin(), options.sizes.end());
    if (set.is_cosine) {
        // Orders equally, and lets one kind of ground truth serve both.
        normalise(set.base);
        normalise(set.queries);
    }
    ScaleRun run(options, set);
    for (const uint32_t size : options.sizes) {
        run.run(size);
        write_json(options.json, run.result());  // what there is, should the next one fail
    }
    std::cout << '\n' << scale_tables(run.result());
}

}  // namespace lookalike
