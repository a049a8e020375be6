// FAISS's own in-memory indexes on a set, in one process, one thread at search: what a library
// without a database does. "faiss_baseline SET RESULTS [ROWS [QUERIES]]".
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFFlat.h>
#include <faiss/utils/utils.h>
#include <omp.h>

#include <chrono>
#include <functional>
#include <iostream>
#include <memory>

#include "tools/bench/ground_truth.h"
#include "tools/bench/result.h"

namespace lookalike {
namespace {

constexpr uint32_t kNeighbours = 10;
constexpr uint32_t kRounds = 3;

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct Baseline {
    std::string name;
    faiss::Index& index;
    std::function<void(uint32_t)> turn_knob;
    std::vector<uint32_t> knobs;
};

BenchPoint measure(const Baseline& baseline, uint32_t knob, const Dataset& set,
                   const GroundTruth& truth) {
    baseline.turn_knob(knob);
    std::vector<double> latencies_us;
    double recall = 0;
    for (uint32_t round = 0; round < kRounds; ++round) {
        for (uint32_t query = 0; query < set.queries.count(); ++query) {
            float distances[kNeighbours];
            int64_t labels[kNeighbours];
            const auto begin = std::chrono::steady_clock::now();
            baseline.index.search(1, set.queries.row(query), kNeighbours, distances, labels);
            latencies_us.push_back(1e6 * seconds_since(begin));
            if (round > 0) continue;
            recall += truth.recall(query, {std::begin(labels), std::end(labels)}, kNeighbours);
        }
    }
    BenchPoint point = summarise(std::move(latencies_us));
    point.knob = knob;
    point.recall = recall / set.queries.count();
    return point;
}

void run(const Baseline& baseline, const std::filesystem::path& file, const Dataset& set,
         const GroundTruth& truth) {
    BenchResult result;
    result.system = baseline.name;
    result.description = "in process, single precision, library built for " +
                         faiss::get_compile_options() + ", one thread at search";
    omp_set_num_threads(omp_get_num_procs());
    const auto begin = std::chrono::steady_clock::now();
    baseline.index.train(set.base.count(), set.base.values.data());
    baseline.index.add(set.base.count(), set.base.values.data());
    result.build_seconds = seconds_since(begin);
    omp_set_num_threads(1);
    for (const uint32_t knob : baseline.knobs) {
        result.points.push_back(measure(baseline, knob, set, truth));
        const BenchPoint& point = result.points.back();
        std::cout << baseline.name << ' ' << knob << ": recall " << point.recall << ", "
                  << point.queries_per_second << " queries a second" << std::endl;
    }
    write_result(file, result);
}

void run_all(const std::vector<std::string>& words) {
    if (words.size() < 2) throw std::runtime_error("faiss_baseline SET RESULTS [ROWS [QUERIES]]");
    const auto limit = [&](size_t word, uint32_t otherwise) {
        return word < words.size() ? static_cast<uint32_t>(std::stoul(words[word])) : otherwise;
    };
    Dataset set = read_dataset(words[0], limit(2, UINT32_MAX), limit(3, kDefaultQueryLimit));
    if (set.is_cosine) {
        normalise(set.base);
        normalise(set.queries);
    }
    const GroundTruth truth(set, std::filesystem::path(words[0]) / "truth");
    const int dims = static_cast<int>(set.base.dims);
    const std::filesystem::path results = std::filesystem::path(words[1]) / set.name;
    {
        faiss::IndexHNSWFlat hnsw(dims, 32);
        run({"FAISS HNSW32",
             hnsw,
             [&](uint32_t knob) { hnsw.hnsw.efSearch = static_cast<int>(knob); },
             {10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 400}},
            results / "faiss-hnsw32", set, truth);
    }
    faiss::IndexFlatL2 coarse(dims);
    // As many lists as is usual: the square root of the rows.
    const auto list_count = static_cast<size_t>(std::sqrt(set.base.count()));
    faiss::IndexIVFFlat lists(&coarse, static_cast<size_t>(dims), list_count);
    run({"FAISS IVF" + std::to_string(list_count),
         lists,
         [&](uint32_t knob) { lists.nprobe = knob; },
         {1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128}},
        results / "faiss-ivf", set, truth);
}

}  // namespace
}  // namespace lookalike

int main(int argument_count, char** arguments) {
    try {
        lookalike::run_all({arguments + 1, arguments + argument_count});
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
