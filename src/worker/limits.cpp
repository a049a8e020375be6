#include "worker/limits.h"

#include <faiss/IndexFlat.h>
#include <faiss/utils/distances.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <vector>

namespace lookalike {

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

void limit_memory(uint64_t budget_bytes) {
    uint64_t baseline_pages = 0;
    std::ifstream("/proc/self/statm") >> baseline_pages;
    const rlim_t limit =
        baseline_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) + budget_bytes;
    rlimit limits;
    if (getrlimit(RLIMIT_AS, &limits) != 0)
        throw std::system_error(errno, std::generic_category(), "reading the memory limit");
    if (limit >= limits.rlim_max) return;  // a stricter limit is in force already
    limits = {.rlim_cur = limit, .rlim_max = limit};
    if (baseline_pages == 0 || setrlimit(RLIMIT_AS, &limits) != 0)
        throw std::system_error(errno, std::generic_category(), "setting the memory limit");
}

}  // namespace lookalike
