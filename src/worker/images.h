// The requests that OpenCV answers.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/no_postgres.h"
#include "image/image.h"
#include "image/model_store.h"
#include "worker/channel.h"

namespace lookalike {

/// what() is the "name@version" of a network that has to be loaded before the request is repeated.
class ModelMissing : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Images {
  public:
    /// Networks are kept up to half of the memory; the other half is for decoding and for what a
    /// network needs while it runs. `preloaded` may be null and outlives this.
    Images(Channel& channel, const SharedArea& shared, uint64_t memory_bytes,
           ModelStore* preloaded = nullptr)
        : channel_(channel),
          shared_(shared),
          memory_bytes_(memory_bytes),
          models_(make_engine(), memory_bytes / 2),
          preloaded_(preloaded) {}

    /// Each answers its request. They throw ProtocolError, ImageError, ExtractorSpecError,
    /// ModelMissing, std::bad_alloc or what OpenCV throws; then nothing has been sent.
    void info(const WorkerRequest& request);
    void features(const WorkerRequest& request);
    void local_features(const WorkerRequest& request);
    void text_features(const WorkerRequest& request);
    void thumbnail(const WorkerRequest& request);
    void draw_matches(const WorkerRequest& request);
    void extractors(const WorkerRequest& request);
    void load_model(const WorkerRequest& request);
    void find_model(const WorkerRequest& request);

  private:
    ImageLimits limits_of(const WorkerImageRequest& image) const;
    std::span<const uint8_t> only_image(const WorkerImageRequest& image) const;
    std::vector<std::span<const uint8_t>> all_images(const WorkerImageRequest& image) const;
    void write_result(const WorkerImageRequest& image, WorkerImageResult result,
                      std::span<const std::span<const uint8_t>> pieces) const;

    Channel& channel_;
    const SharedArea& shared_;
    uint64_t memory_bytes_;
    ModelStore models_;
    ModelStore* preloaded_;
};

/// Loads a network of pictures or of texts. `key` is what `models` will know it by. Throws
/// ImageError or ProtocolError.
LoadedModel& load_model(ModelStore& models, const std::string& key, const WorkerModelConfig& config,
                        std::span<const uint8_t> bytes);

/// What a preloaded network is known by: its digest and its settings, not its name.
std::string preloaded_key(const WorkerModelConfig& config);

/// Loads what OpenCV loads at its first use: nothing can be opened once the sandbox is closed.
void warm_up_images();

}  // namespace lookalike
