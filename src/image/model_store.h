// Neural networks and codebooks that have been loaded, kept within a memory budget.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/no_postgres.h"
#include "image/codebook.h"
#include "network/text_model.h"

namespace lookalike {

/// How a network wants its input and where its descriptor comes out.
struct ModelConfig {
    uint32_t input_width;
    uint32_t input_height;
    std::array<float, 3> mean;  ///< subtracted, in units of 0..255, in the network's channel order
    std::array<float, 3> std;   ///< divides after that; none is 0
    bool bgr;                   ///< channel order: blue first instead of red first
    std::string layer;          ///< name of the output; empty for the network's last one
    bool normalize;             ///< scale descriptors to length 1
    bool crop = false;  ///< the middle of a picture in the shape of the input, not all of it
};

/// What runs networks, by name.
constexpr char kOpencvEngine[] = "OpenCV";
constexpr char kOwnEngine[] = "lookalike";

/// One loaded network.
class Network {
  public:
    virtual ~Network() = default;
    virtual uint32_t dims() const = 0;          ///< elements of one descriptor
    virtual uint64_t memory_bytes() const = 0;  ///< an estimate, for the budget
    virtual const char* engine_name() const = 0;
    /// `input` holds count x 3 x height x width floats, `output` takes count x dims() of them.
    virtual void run(const float* input, uint32_t count, float* output) = 0;
};

/// Something that can run networks. Throws ImageError with kModel.
class Engine {
  public:
    virtual ~Engine() = default;
    /// Loads an ONNX file and runs it once, so that dims() is what it gives.
    virtual std::unique_ptr<Network> load(std::span<const uint8_t> onnx,
                                          const ModelConfig& config) = 0;
};

std::unique_ptr<Engine> make_opencv_engine();
std::unique_ptr<Engine> make_graph_engine();  ///< our own, for transformers
/// OpenCV's, or our own for a network that OpenCV does not run or would run wrongly.
std::unique_ptr<Engine> make_engine();

/// Of pictures or of texts, or a codebook: one of the three pointers is there. What is loaded is
/// perhaps shared with another store.
struct LoadedModel {
    std::string key;  ///< "name@version" of pictures, "text:name@version" of texts,
                      ///< "codebook:name@version"
    ModelConfig config;
    std::shared_ptr<Network> network;
    std::shared_ptr<TextModel> text;
    std::shared_ptr<Codebook> codebook;
    double load_seconds;

    /// Of what runs it; empty for a codebook.
    const char* engine_name() const {
        if (codebook) return "";
        return text ? kOwnEngine : network->engine_name();
    }
    uint32_t dims() const {
        if (codebook) return codebook->dims();
        return text ? text->dims() : network->dims();
    }
    uint64_t memory_bytes() const {
        if (codebook) return codebook->memory_bytes();
        return text ? text->memory_bytes() : network->memory_bytes();
    }
};

/// Loaded networks and codebooks by their keys; the least recently used go when the budget is
/// exceeded. The one loaded last stays, whatever its size.
class ModelStore {
  public:
    ModelStore(std::unique_ptr<Engine> engine, uint64_t budget_bytes);
    ~ModelStore();

    /// Loads a network, replacing one with the same key. Throws ImageError with kModel.
    LoadedModel& load(const std::string& key, std::span<const uint8_t> onnx,
                      const ModelConfig& config);
    /// The same of texts.
    LoadedModel& load_text(const std::string& key, std::string_view onnx,
                           std::string_view tokenizer, const TextConfig& config);
    /// The same with a codebook.
    LoadedModel& load_codebook(const std::string& key, std::span<const uint8_t> bytes);
    /// Keeps another store's network under this key as well, replacing one with the same key.
    LoadedModel& share(const std::string& key, const LoadedModel& model);
    /// Null when it is not loaded (any more): the caller then has to load() it. Counts as a use.
    LoadedModel* find(std::string_view key);
    void drop(std::string_view key);

    /// Most recently used first.
    const std::list<LoadedModel>& models() const { return models_; }
    uint64_t memory_bytes() const;

  private:
    LoadedModel& keep(LoadedModel model);

    std::unique_ptr<Engine> engine_;
    uint64_t budget_bytes_;
    std::list<LoadedModel> models_;
};

}  // namespace lookalike
