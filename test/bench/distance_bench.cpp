// One query against candidates that lie in the L1 or L2 cache: our kernels, the public functions,
// the plain loop compiled for this machine, and only reading. Names are what/who/dims/cache, times
// are for one pair of vectors. docs/DISTANCE.md has the command and the results.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/vector/distance.h"
#include "core/vector/distance_kernels.h"
#include "core/vector/half.h"
#include "native_loop.h"

namespace lookalike {
namespace {

/// A query and candidates of one kind, back to back.
struct Data {
    Data(Kind kind, uint32_t dims, size_t total_bytes)
        : kind(kind), dims(dims), bytes(element_bytes(kind, dims)), count(total_bytes / bytes) {
        std::mt19937 random(7);
        std::uniform_real_distribution<float> uniform(-1, 1);
        memory.resize(total_bytes / 8);
        uint8_t* out = reinterpret_cast<uint8_t*>(memory.data());
        const size_t width = kind == Kind::kReal ? 4 : kind == Kind::kHalf ? 2 : 1;
        for (size_t at = 0; at + width <= total_bytes; at += width) {
            const float real = uniform(random);
            const uint16_t half = half_from_double(real);
            const uint8_t bits = static_cast<uint8_t>(random());
            const void* from = kind == Kind::kReal   ? static_cast<const void*>(&real)
                               : kind == Kind::kHalf ? static_cast<const void*>(&half)
                                                     : static_cast<const void*>(&bits);
            std::memcpy(out + at, from, width);
        }
    }
    const uint8_t* at(size_t i) const {
        return reinterpret_cast<const uint8_t*>(memory.data()) + i * bytes;
    }

    Kind kind;
    uint32_t dims;
    size_t bytes;
    size_t count;
    std::vector<uint64_t> memory;
};

/// Time a pair: the whole set is one iteration, so that the loop of the benchmark itself vanishes.
template <class Function>
void add(const std::string& name, Kind kind, uint32_t dims, Function function) {
    const std::pair<const char*, size_t> caches[] = {{"L1", 24 * 1024}, {"L2", 384 * 1024}};
    for (const auto& [cache, bytes] : caches) {
        auto run = [=, bytes = bytes](benchmark::State& state) {
            const Data data(kind, dims, bytes);
            for (auto _ : state) {
                for (size_t i = 1; i < data.count; ++i) {
                    benchmark::DoNotOptimize(function(data.at(0), data.at(i), data));
                }
            }
            state.counters["pair"] = benchmark::Counter(
                static_cast<double>(data.count - 1),
                benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
        };
        benchmark::RegisterBenchmark((name + "/" + std::to_string(dims) + "/" + cache).c_str(), run)
            ->ComputeStatistics("min", [](const std::vector<double>& times) {
                return *std::min_element(times.begin(), times.end());
            });
    }
}

const float* reals(const uint8_t* bytes) {
    return reinterpret_cast<const float*>(bytes);
}

const uint16_t* halves(const uint8_t* bytes) {
    return reinterpret_cast<const uint16_t*>(bytes);
}

void add_read(const std::string& name, Kind kind, uint32_t dims) {
    add(name + "/read", kind, dims, [](const uint8_t* a, const uint8_t* b, const Data& data) {
        return native::read_both(a, b, data.bytes);
    });
}

template <auto Function>
void add_public(const std::string& name, Kind kind, uint32_t dims) {
    add(name + "/public", kind, dims, [](const uint8_t* a, const uint8_t* b, const Data& data) {
        return Function({data.kind, data.dims, a}, {data.kind, data.dims, b});
    });
}

void add_real(uint32_t dims) {
    const auto with = [=](const char* name, auto function) {
        add(name, Kind::kReal, dims, [=](const uint8_t* a, const uint8_t* b, const Data& data) {
            return function(reals(a), reals(b), data.dims);
        });
    };
    using Loop = float (*)(const float*, const float*, size_t);
    add_read("real", Kind::kReal, dims);
    with("l2/kernel", Loop{l2_squared});
    with("l2/native", Loop{native::l2_squared});
    add_public<l2_distance>("l2", Kind::kReal, dims);
    with("dot/kernel", Loop{dot});
    with("dot/native", Loop{native::dot});
    add_public<inner_product>("dot", Kind::kReal, dims);
    add_public<cosine_distance>("cosine", Kind::kReal, dims);
    add_public<l1_distance>("l1", Kind::kReal, dims);
}

void add_half(uint32_t dims) {
    add_read("half", Kind::kHalf, dims);
    add("l2half/kernel", Kind::kHalf, dims,
        [kernel = kernels().half_half.l2_squared](const uint8_t* a, const uint8_t* b,
                                                  const Data& data) {
            return kernel(halves(a), halves(b), data.dims);
        });
    add_public<l2_distance>("l2half", Kind::kHalf, dims);
}

void add_bit(uint32_t dims) {
    const auto with = [=](const char* name, auto function) {
        add(name, Kind::kBit, dims, [=](const uint8_t* a, const uint8_t* b, const Data& data) {
            return function(a, b, data.bytes);
        });
    };
    with("hamming/kernel", kernels().hamming);
    with("hamming/native", native::hamming);
    add_public<hamming_distance>("hamming", Kind::kBit, dims);
    add_public<jaccard_distance>("jaccard", Kind::kBit, dims);
}

}  // namespace
}  // namespace lookalike

int main(int argc, char** argv) {
    benchmark::AddCustomContext("simd_target", lookalike::simd_target_name());
    lookalike::add_real(128);
    lookalike::add_real(768);
    lookalike::add_half(512);
    lookalike::add_bit(256);
    lookalike::add_bit(1024);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
