// Which of many lists takes a row: bits as bits, and the same bits as floats through BLAS. Names
// are who/dimensions/lists; the time is for 4,096 rows, "pair" the time of one row with one
// centroid.
#include <benchmark/benchmark.h>

#include <omp.h>
#include <random>

#include "core/vector/signs.h"
#include "learn/assign.h"
#include "learn/assign_bits.h"

namespace lookalike {
namespace {

constexpr size_t kRows = 4096;

std::vector<uint64_t> random_bits(size_t count, size_t dims, unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<uint64_t> words(count * bit_row_words(dims));
    for (uint64_t& word : words)
        word = random();
    return words;
}

std::vector<float> as_signs(const std::vector<uint64_t>& words) {
    std::vector<float> signs(words.size() * 64);
    bits_to_signs(reinterpret_cast<const uint8_t*>(words.data()),
                  static_cast<uint32_t>(signs.size()), signs.data());
    return signs;
}

void count_pairs(benchmark::State& state, size_t list_count) {
    state.counters["pair"] = benchmark::Counter(
        static_cast<double>(kRows * list_count),
        benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void bits(benchmark::State& state) {
    const auto dims = static_cast<size_t>(state.range(0));
    const auto list_count = static_cast<size_t>(state.range(1));
    const auto centroids = random_bits(list_count, dims, 1), rows = random_bits(kRows, dims, 2);
    const BitAssigner assigner({centroids.data(), list_count, dims});
    std::vector<uint32_t> list_ids(kRows);
    std::vector<float> distances(kRows);
    for (auto _ : state)
        assigner.assign({rows.data(), kRows, dims}, list_ids, distances);
    count_pairs(state, list_count);
}

void floats(benchmark::State& state) {
    const auto dims = static_cast<uint32_t>(state.range(0));
    const auto list_count = static_cast<size_t>(state.range(1));
    const auto centroids = as_signs(random_bits(list_count, dims, 1));
    const auto rows = as_signs(random_bits(kRows, dims, 2));
    const Assigner assigner(centroids, dims);
    std::vector<uint32_t> list_ids(kRows);
    std::vector<float> distances(kRows);
    for (auto _ : state)
        assigner.assign({rows.data(), kRows, dims}, list_ids, distances);
    count_pairs(state, list_count);
}

// Multiples of 64 dimensions: only their words have no gaps.
#define SHAPES \
    ->Args({64, 1000})->Args({256, 4031})->Args({1024, 1000})->Unit(benchmark::kMillisecond)
BENCHMARK(bits) SHAPES;
BENCHMARK(floats) SHAPES;

}  // namespace
}  // namespace lookalike

// One thread, so that times are those of a core.
int main(int argument_count, char** arguments) {
    omp_set_num_threads(1);
    benchmark::Initialize(&argument_count, arguments);
    benchmark::RunSpecifiedBenchmarks();
}
