#include "image/model_store.h"

#include <algorithm>
#include <chrono>

#include "image/image.h"

namespace lookalike {
namespace {

void check_config(const std::string& key, const ModelConfig& config) {
    // Nothing larger is trained on; it bounds the memory of a batch.
    constexpr uint32_t kMaxInputSide = 1024;
    const auto is_side = [](uint32_t side) { return side >= 1 && side <= kMaxInputSide; };
    const bool has_scale = std::ranges::none_of(config.std, [](float s) { return s == 0; });
    if (is_side(config.input_width) && is_side(config.input_height) && has_scale) return;
    throw ImageError(ImageFault::kModel,
                     "image model \"" + key + "\" has an input size or a scale out of range");
}

}  // namespace

ModelStore::ModelStore(std::unique_ptr<Engine> engine, uint64_t budget_bytes)
    : engine_(std::move(engine)), budget_bytes_(budget_bytes) {}

ModelStore::~ModelStore() = default;

LoadedModel& ModelStore::load(const std::string& key, std::span<const uint8_t> onnx,
                              const ModelConfig& config) {
    check_config(key, config);
    drop(key);  // before the new one takes its memory
    const auto begin = std::chrono::steady_clock::now();
    std::shared_ptr<Network> network = engine_->load(onnx, config);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    LoadedModel model{};
    model.key = key;
    model.config = config;
    model.network = std::move(network);
    model.load_seconds = seconds.count();
    return keep(std::move(model));
}

LoadedModel& ModelStore::load_text(const std::string& key, std::string_view onnx,
                                   std::string_view tokenizer, const TextConfig& config) {
    drop(key);
    const auto begin = std::chrono::steady_clock::now();
    try {
        LoadedModel model{};
        model.key = key;
        model.text = std::make_shared<TextModel>(onnx, tokenizer, config);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
        model.load_seconds = seconds.count();
        return keep(std::move(model));
    } catch (const NetworkError& error) {
        throw ImageError(ImageFault::kModel,
                         std::string("could not load text model: ") + error.what());
    } catch (const TokenizerError& error) {
        throw ImageError(ImageFault::kModel,
                         std::string("could not load text model: ") + error.what());
    }
}

LoadedModel& ModelStore::load_codebook(const std::string& key, std::span<const uint8_t> bytes) {
    drop(key);
    LoadedModel model{};
    model.key = key;
    model.codebook = std::make_shared<Codebook>(bytes);
    return keep(std::move(model));
}

LoadedModel& ModelStore::share(const std::string& key, const LoadedModel& model) {
    LoadedModel shared = model;
    shared.key = key;
    return keep(std::move(shared));
}

LoadedModel& ModelStore::keep(LoadedModel model) {
    drop(model.key);
    models_.push_front(std::move(model));
    while (models_.size() > 1 && memory_bytes() > budget_bytes_) {
        models_.pop_back();
    }
    return models_.front();
}

LoadedModel* ModelStore::find(std::string_view key) {
    const auto found =
        std::ranges::find_if(models_, [key](const LoadedModel& model) { return model.key == key; });
    if (found == models_.end()) return nullptr;
    models_.splice(models_.begin(), models_, found);
    return &models_.front();
}

void ModelStore::drop(std::string_view key) {
    models_.remove_if([key](const LoadedModel& model) { return model.key == key; });
}

uint64_t ModelStore::memory_bytes() const {
    uint64_t bytes = 0;
    for (const LoadedModel& model : models_) {
        bytes += model.memory_bytes();
    }
    return bytes;
}

}  // namespace lookalike
