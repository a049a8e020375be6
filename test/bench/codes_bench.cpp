// Speed of the index's kernels, and what recall they buy: "codes_bench --recall" prints tables for
// Debian's dataset-fashion-mnist (where installed) and clustered random vectors.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>

#include "../unit/small_ivf.h"

namespace lookalike {
namespace {

std::vector<float> random_floats(size_t count, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> floats(count);
    for (float& element : floats)
        element = normal(random);
    return floats;
}

AlignedFloats random_in_space(const IndexSpace& space, uint64_t seed) {
    AlignedFloats out = hwy::AllocateAligned<float>(space.padded_dims());
    space.to_space(random_floats(space.dims(), seed).data(), out.get());
    return out;
}

void to_space(benchmark::State& state, Metric metric) {
    const uint32_t dims = static_cast<uint32_t>(state.range(0));
    const IndexSpace space(metric, dims, 1, random_floats(dims, 1));
    const std::vector<float> raw = random_floats(dims, 2);
    AlignedFloats out = hwy::AllocateAligned<float>(space.padded_dims());
    for (auto _ : state)
        benchmark::DoNotOptimize(space.to_space(raw.data(), out.get()));
}
BENCHMARK_CAPTURE(to_space, l2, Metric::kL2)->Arg(128)->Arg(784)->Arg(1024)->Arg(1280)->Arg(4096);
BENCHMARK_CAPTURE(to_space, cosine, Metric::kCosine)->Arg(128)->Arg(768);

void encode_scan(benchmark::State& state, Metric metric) {
    const uint32_t dims = static_cast<uint32_t>(state.range(0));
    const IndexSpace space(metric, dims, 1, {});
    const AlignedFloats entry = random_in_space(space, 1);
    const AlignedFloats centroid = random_in_space(space, 2);
    std::vector<uint8_t> signs(scan_code_bytes(space.padded_dims()));
    for (auto _ : state)
        benchmark::DoNotOptimize(
            encode_scan_code(space, entry.get(), centroid.get(), signs.data()));
}
BENCHMARK_CAPTURE(encode_scan, l2, Metric::kL2)->Arg(128)->Arg(768);
BENCHMARK_CAPTURE(encode_scan, inner_product, Metric::kInnerProduct)->Arg(128)->Arg(768);

void encode_refine_slot(benchmark::State& state, Refine refine) {
    const IndexSpace space(Metric::kL2, static_cast<uint32_t>(state.range(0)), 1, {});
    const AlignedFloats entry = random_in_space(space, 1);
    std::vector<uint8_t> slot(refine_bytes(refine, space.padded_dims()));
    for (auto _ : state) {
        encode_refine(refine, entry.get(), space.padded_dims(), 0, slot.data());
        benchmark::ClobberMemory();
    }
}
BENCHMARK_CAPTURE(encode_refine_slot, int8, Refine::kInt8)->Arg(128)->Arg(768);
BENCHMARK_CAPTURE(encode_refine_slot, half, Refine::kHalf)->Arg(128);

void prepare_query(benchmark::State& state) {
    const uint32_t dims = static_cast<uint32_t>(state.range(0));
    const IndexSpace space(Metric::kL2, dims, 1, {});
    const std::vector<float> raw = random_floats(dims, 1);
    for (auto _ : state) {
        const SpaceQuery query = space.query(raw.data());
        const ScanQuery scan(query);
        benchmark::DoNotOptimize(scan.table());
    }
}
BENCHMARK(prepare_query)->Arg(128)->Arg(768);

/// Blocks of one list, in cache, with the window: time is for one entry.
void scan_entries(benchmark::State& state) {
    const uint32_t dims = static_cast<uint32_t>(state.range(0));
    const size_t block_count = 1024 * 128 / dims;
    const IndexSpace space(Metric::kL2, dims, 1, {});
    const SpaceQuery query = space.query(random_floats(dims, 1).data());
    const ScanQuery scan(query);
    const std::vector<float> centroid(space.padded_dims());
    const ScanTerms terms = scan.terms(centroid.data());
    const size_t block_bytes = scan.group_count() * kGroupBytes;
    std::vector<uint8_t> codes(block_count * block_bytes + 8);
    std::mt19937_64 random(1);
    for (uint8_t& byte : codes)
        byte = static_cast<uint8_t>(random());
    const std::vector<float> base(kBlockEntries, static_cast<float>(dims));
    const std::vector<float> scale(kBlockEntries, 2.5f * std::sqrt(static_cast<float>(dims)));
    const std::vector<float> error(kBlockEntries, 1.5f);
    CandidateWindow window;
    for (auto _ : state) {
        window.clear();
        for (size_t i = 0; i < block_count; ++i) {
            alignas(64) float bounds[kBlockEntries];
            // As in a page, codes are aligned to 8 bytes.
            const uint32_t near = scan_block(
                scan.table(), &codes[8 + i * block_bytes], scan.group_count(),
                {base.data(), scale.data(), error.data()}, terms, window.limit().bound, bounds);
            window.push_block(bounds, near, i * kBlockEntries);
        }
        benchmark::DoNotOptimize(window.best(64).data());
    }
    state.counters["per_entry"] =
        benchmark::Counter(static_cast<double>(state.iterations() * block_count * kBlockEntries),
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(scan_entries)->Arg(128)->Arg(768)->Arg(1280);

/// What selection costs a query that scans so many entries and looks at 96 of them.
void select_candidates(benchmark::State& state) {
    // Other bounds each time: what the processor has seen before, it predicts.
    const size_t count = static_cast<size_t>(state.range(0));
    const std::vector<float> bounds = random_floats(1 << 20, 1);
    size_t start = 0;
    CandidateWindow window;
    for (auto _ : state) {
        window.clear();
        for (size_t i = 0; i < count; i += kBlockEntries)
            window.push_block(&bounds[start + i], 0xffffffff, i);
        start = (start + count) % bounds.size();
        benchmark::DoNotOptimize(window.best(64).data());
        benchmark::DoNotOptimize(window.best(96).data());
    }
}
BENCHMARK(select_candidates)->Arg(1024)->Arg(4096)->Arg(16384)->Arg(65536);

void scan_bits(benchmark::State& state) {
    const size_t bytes = static_cast<size_t>(state.range(0)) / 8;
    std::vector<uint8_t> rows(kBlockEntries * bytes);
    std::vector<uint8_t> query(bytes, 0x5a);
    for (auto _ : state) {
        uint32_t different[kBlockEntries] = {};
        add_bit_counts(query.data(), rows.data(), bytes, bytes, different, nullptr);
        benchmark::DoNotOptimize(different);
    }
    state.counters["per_entry"] =
        benchmark::Counter(static_cast<double>(state.iterations() * kBlockEntries),
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(scan_bits)->Arg(64)->Arg(256)->Arg(4096);

void refine_slot(benchmark::State& state, Metric metric, Refine refine) {
    const IndexSpace space(metric, static_cast<uint32_t>(state.range(0)), 1, {});
    const SpaceQuery space_query = space.query(random_floats(space.dims(), 1).data());
    const RefineQuery query(space_query);
    const AlignedFloats entry = random_in_space(space, 2);
    std::vector<uint8_t> slot(1 + refine_bytes(refine, space.padded_dims()));
    encode_refine(refine, entry.get(), space.padded_dims(), 0, slot.data() + 1);
    for (auto _ : state)
        benchmark::DoNotOptimize(query.lower_bound(refine, slot.data() + 1));
}
BENCHMARK_CAPTURE(refine_slot, l2_int8, Metric::kL2, Refine::kInt8)->Arg(128)->Arg(768);
BENCHMARK_CAPTURE(refine_slot, l2_half, Metric::kL2, Refine::kHalf)->Arg(128);
BENCHMARK_CAPTURE(refine_slot, l2_float, Metric::kL2, Refine::kFloat)->Arg(128);
BENCHMARK_CAPTURE(refine_slot, inner_product_int8, Metric::kInnerProduct, Refine::kInt8)->Arg(128);

void print_recall(const char* name, const Vectors& rows, const Vectors& queries, size_t lists,
                  Metric metric) {
    constexpr size_t kNeighbors = 10;
    SmallIvf index(metric, rows, lists);
    std::vector<std::vector<uint64_t>> nearest;
    for (size_t i = 0; i < queries.count(); ++i)
        nearest.push_back(exact_nearest(metric, rows, queries[i], kNeighbors));
    std::printf("\n%s, metric %d: %zu rows of %u, %zu lists\n", name, int(metric), rows.count(),
                rows.dims, lists);
    std::printf(
        "epsilon probes recall@10 scanned refined rows coarse_us scan_ns/entry refine_us\n");
    // What the recall lacks of that at the first is hidden.
    for (const double epsilon : {kFullRecallEpsilon, 1.2, 1.4, 1.6, 1.9, 2.2, 2.5, 3.0})
        for (const size_t probes : {4u, 8u, 12u, 16u, 32u, 64u}) {
            SearchCost cost;
            size_t common = 0;
            for (size_t i = 0; i < queries.count(); ++i)
                common += common_ids(nearest[i],
                                     index.search(queries[i], kNeighbors, probes, epsilon, cost));
            const double count = static_cast<double>(queries.count());
            std::printf("%7.1f %6zu %9.4f %7.0f %7.0f %4.0f %9.1f %13.2f %9.1f\n", epsilon, probes,
                        static_cast<double>(common) / (count * kNeighbors),
                        static_cast<double>(cost.scanned) / count,
                        static_cast<double>(cost.refined) / count,
                        static_cast<double>(cost.rows) / count, cost.coarse_us / count,
                        1000 * cost.scan_us / static_cast<double>(cost.scanned),
                        cost.refine_us / count);
        }
}

void print_recall_tables() {
    const Vectors images = fashion_mnist("train", 60000);
    if (images.count() > 0) {
        const Vectors image_queries = fashion_mnist("t10k", 300);
        for (const Metric metric : {Metric::kL2, Metric::kCosine, Metric::kInnerProduct})
            print_recall("fashion-mnist", images, image_queries, 245, metric);
    }
    const Vectors clustered = clustered_vectors(128, 100000, 1000, 1, 2);
    const Vectors queries = clustered_vectors(128, 300, 1000, 1, 3);
    print_recall("clustered random", clustered, queries, 316, Metric::kL2);
}

}  // namespace
}  // namespace lookalike

int main(int argc, char** argv) {
    if (argc > 1 && std::strcmp(argv[1], "--recall") == 0) {
        lookalike::print_recall_tables();
        return 0;
    }
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
}
