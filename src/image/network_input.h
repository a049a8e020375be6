// Images as a network wants them: scaled, normalised, planes of floats, several in one batch.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "image/model_store.h"

namespace lookalike {

class NetworkInput {
  public:
    /// REQUIRES: `image` is BGR, 8 bits; every image of a batch has the same `config`.
    void add(const cv::Mat& image, const ModelConfig& config);

    /// Descriptors of the images added, one after the other. Throws ImageError with kModel.
    std::vector<float> run(const LoadedModel& model) const;

  private:
    std::vector<float> planes_;
    uint32_t count_ = 0;
};

}  // namespace lookalike
