#include "worker/limits.h"

#include <faiss/IndexFlat.h>
#include <faiss/utils/distances.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <vector>

namespace lookalike {
namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

void warm_up_libraries() {
    // The block of distances that FAISS computes at once: 4 MB instead of 16, as fast.
    faiss::distance_compute_blas_query_bs = 1024;
    faiss::distance_compute_blas_database_bs = 1024;
    // A whole block, for which BLAS uses all of its threads.
    constexpr size_t kDims = 64, kVectors = 1024;
    std::vector<float> values(kDims * kVectors, 1.0f), distances(kVectors);
    std::vector<int64_t> labels(kVectors);
    faiss::IndexFlatL2 index(kDims);
    index.add(kVectors, values.data());
    index.search(kVectors, values.data(), 1, distances.data(), labels.data());
    // OpenMP's threads, whose stacks are no part of the budget: newer versions of FAISS start them
    // for more vectors only.
    [[maybe_unused]] int thread_count = 0;
#pragma omp parallel reduction(+ : thread_count)
    ++thread_count;
}

AddressSpace::AddressSpace() : file_(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {
    if (file_.get() < 0) fail("opening /proc/self/statm");
}

uint64_t AddressSpace::taken_bytes() const {
    char text[128] = {};
    if (pread(file_.get(), text, sizeof(text) - 1, 0) <= 0) fail("reading /proc/self/statm");
    // The first of its numbers; at least one page, or this would not run.
    const uint64_t pages = std::strtoull(text, nullptr, 10);
    if (pages == 0) throw std::runtime_error("/proc/self/statm does not start with a size");
    return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

void limit_memory(uint64_t limit_bytes) {
    rlimit limits;
    if (getrlimit(RLIMIT_AS, &limits) != 0) fail("reading the memory limit");
    if (limit_bytes >= limits.rlim_max) return;  // a stricter limit is in force already
    limits = {.rlim_cur = limit_bytes, .rlim_max = limit_bytes};
    if (setrlimit(RLIMIT_AS, &limits) != 0) fail("setting the memory limit");
}

}  // namespace lookalike
