// The requests that OpenCV answers.
#pragma once

#include <stdexcept>

#include "core/no_postgres.h"
#include "image/model_store.h"
#include "worker/channel.h"

namespace lookalike {

/// what() is the "name@version" of a network that has to be loaded before the request is repeated.
class ModelMissing : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Images {
  public:
    /// Networks are kept up to model_bytes.
    Images(Channel& channel, const SharedArea& shared, uint64_t model_bytes)
        : channel_(channel), shared_(shared), models_(make_opencv_engine(), model_bytes) {}

    /// Each answers its request. They throw ProtocolError, ImageError, ExtractorSpecError,
    /// ModelMissing, std::bad_alloc or what OpenCV throws; then nothing has been sent.
    void info(const WorkerRequest& request);
    void features(const WorkerRequest& request);
    void thumbnail(const WorkerRequest& request);
    void extractors(const WorkerRequest& request);
    void load_model(const WorkerRequest& request);

  private:
    std::span<const uint8_t> only_image(const WorkerImageRequest& image) const;
    void write_result(const WorkerImageRequest& image, WorkerImageResult result,
                      std::span<const std::span<const uint8_t>> pieces) const;

    Channel& channel_;
    const SharedArea& shared_;
    ModelStore models_;
};

/// Loads what OpenCV loads at its first use: nothing can be opened once the sandbox is closed.
void warm_up_images();

}  // namespace lookalike
