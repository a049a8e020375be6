#include "worker/versions.h"

#include "image/model_store.h"

#include <faiss/Index.h>
#include <omp.h>

#include <opencv2/core/utility.hpp>

// FAISS may be linked with another BLAS, which then lacks these.
extern "C" {
__attribute__((weak)) char* openblas_get_config();
__attribute__((weak)) char* openblas_get_corename();
__attribute__((weak)) int openblas_get_num_threads();
}

namespace lookalike {

std::string library_versions() {
    std::string text = "FAISS " + std::to_string(FAISS_VERSION_MAJOR) + "." +
                       std::to_string(FAISS_VERSION_MINOR) + "." +
                       std::to_string(FAISS_VERSION_PATCH) + "\n";
    text += "OpenCV " + cv::getVersionString() + "\n";
    if (openblas_get_config && openblas_get_corename && openblas_get_num_threads)
        text += "BLAS " + std::string(openblas_get_config()) + ", core " + openblas_get_corename() +
                ", threads " + std::to_string(openblas_get_num_threads()) + "\n";
    else
        text += "BLAS other than OpenBLAS\n";
    text += "OpenMP threads " + std::to_string(omp_get_max_threads()) + "\n";
    // What may run networks, in the order in which it is asked.
    return text + "networks " + kOpencvEngine + ", " + kOwnEngine + "\n";
}

}  // namespace lookalike
