#include "tools/bench/run.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <stdexcept>

#include "tools/bench/table.h"

namespace lookalike {
namespace {

struct Contender {
    const BenchSystem& system;
    BenchTable table;
    BenchResult result;
};

struct Samples {
    double recall = 0;
    std::vector<double> queries_per_second;  ///< one a round
    std::vector<double> latencies_us;
};

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

std::vector<std::unique_ptr<Contender>> find_contenders(const BenchRunOptions& options,
                                                        const Dataset& set) {
    std::vector<std::unique_ptr<Contender>> contenders;
    pqxx::connection connection;
    for (const BenchSystem& system : all_systems()) {
        if (!options.extensions.empty() &&
            std::ranges::find(options.extensions, system.extension) == options.extensions.end())
            continue;
        const auto version = create_extension(connection, system);
        if (!version) {
            std::cout << system.extension << ": not in this server" << std::endl;
            continue;
        }
        contenders.push_back(
            std::make_unique<Contender>(Contender{system, BenchTable(system, set), {}}));
        contenders.back()->result.system = system.name;
        contenders.back()->result.description =
            system.extension + " " + *version + ", " + system.method + " " + system.options;
    }
    if (contenders.empty()) throw std::runtime_error("the server has none of the systems");
    return contenders;
}

// The build's time is then that of the earlier run, if its results are there.
bool restore(Contender& contender, const std::filesystem::path& earlier) {
    if (!contender.table.restore()) return false;
    if (std::filesystem::exists(earlier))
        contender.result.build_seconds = read_result(earlier).build_seconds;
    contender.result.index_bytes = contender.table.index_bytes();
    return true;
}

void build(Contender& contender) {
    std::cout << contender.system.name << ": filling" << std::endl;
    contender.table.fill();
    contender.result.build_seconds = contender.table.build_index();
    contender.result.index_bytes = contender.table.index_bytes();
    std::cout << contender.system.name << ": built in " << contender.result.build_seconds << " s, "
              << contender.result.index_bytes / 1e6 << " MB" << std::endl;
}

// The systems take turns at every setting, so that a slow minute of the machine meets all of them.
void search(std::vector<std::unique_ptr<Contender>>& contenders, const GroundTruth& truth,
            uint32_t client_count, uint32_t rounds) {
    std::map<std::pair<Contender*, uint32_t>, Samples> samples;
    size_t knob_count = 0;
    for (const auto& contender : contenders)
        knob_count = std::max(knob_count, contender->system.knobs.size());
    for (uint32_t round = 0; round < rounds; ++round) {
        for (size_t i = 0; i < knob_count; ++i) {
            for (const auto& contender : contenders) {
                if (i >= contender->system.knobs.size()) continue;
                const uint32_t knob = contender->system.knobs[i];
                Samples& sample = samples[{contender.get(), knob}];
                const BenchPoint point =
                    contender->table.search(knob, client_count, truth, sample.latencies_us);
                sample.recall = point.recall;
                sample.queries_per_second.push_back(point.queries_per_second);
            }
        }
    }
    for (auto& [key, sample] : samples) {
        BenchPoint point = summarise(std::move(sample.latencies_us));
        point.client_count = client_count;
        point.knob = key.second;
        point.recall = sample.recall;
        point.queries_per_second = median(sample.queries_per_second);
        key.first->result.points.push_back(point);
        std::cout << key.first->system.name << ", " << client_count << " clients, "
                  << key.first->system.knob << " " << point.knob << ": recall " << point.recall
                  << ", " << point.queries_per_second << " queries a second, p50 " << point.p50_us
                  << " us, p99 " << point.p99_us << " us" << std::endl;
    }
}

void insert(std::vector<std::unique_ptr<Contender>>& contenders, uint32_t row_count) {
    constexpr uint32_t kTurn = 250;
    std::map<Contender*, std::vector<double>> rates;
    for (uint32_t begin = 0; begin + kTurn <= row_count; begin += kTurn) {
        for (const auto& contender : contenders)
            rates[contender.get()].push_back(kTurn / contender->table.insert(begin, begin + kTurn));
    }
    for (const auto& [contender, values] : rates) {
        contender->result.inserts_per_second = median(values);
        std::cout << contender->system.name << ": " << contender->result.inserts_per_second
                  << " inserts a second" << std::endl;
    }
}

}  // namespace

void run_bench(const BenchRunOptions& options) {
    Dataset set = read_dataset(options.set, options.row_limit, options.query_limit);
    if (set.is_cosine) {
        // Orders equally, and lets one kind of ground truth serve both.
        normalise(set.base);
        normalise(set.queries);
        normalise(set.inserts);
    }
    const GroundTruth truth(set, options.set / "truth");
    auto contenders = find_contenders(options, set);
    const auto result_file = [&](const Contender& contender) {
        return options.results / set.name / contender.system.extension;
    };
    for (const auto& contender : contenders) {
        if (!options.reuse || !restore(*contender, result_file(*contender))) build(*contender);
    }
    for (const auto& contender : contenders)
        contender->table.warm();
    search(contenders, truth, 1, options.rounds);
    search(contenders, truth, 2, options.rounds);
    insert(contenders, std::min(options.insert_limit, set.inserts.count()));
    for (const auto& contender : contenders)
        write_result(result_file(*contender), contender->result);
}

}  // namespace lookalike
