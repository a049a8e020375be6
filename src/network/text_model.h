// A text network and its tokenizer: text in, a descriptor out.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizer.h"
#include "network/graph.h"

namespace lookalike {

struct TextConfig {
    TokenizerKind tokenizer;
    bool lower_case;
    uint32_t context;  ///< tokens that the network reads
    Pooling pooling;
    std::string layer;  ///< the output's name; empty for the one with "embed" in it, else the first
    bool normalize;     ///< scale descriptors to length 1
};

class TextModel {
  public:
    /// Runs the network once, so that dims() is what it gives. Throws NetworkError, TokenizerError.
    TextModel(std::string_view onnx, std::string_view tokenizer, const TextConfig& config);

    uint32_t dims() const { return dims_; }
    uint64_t memory_bytes() const { return graph_.memory_bytes() + tokenizer_->memory_bytes(); }

    /// REQUIRES: at most kMaxTextBytes. Throws NetworkError.
    std::vector<float> features(std::string_view text) const;

  private:
    /// What an input is for, as its name tells.
    enum class Role { kTokens, kMask, kZeros, kPositions };

    std::vector<float> run(const Tokens& tokens) const;
    std::vector<float> pooled(const Tensor& output, const Tokens& tokens) const;
    void assign_roles();

    TextConfig config_;
    Graph graph_;
    std::unique_ptr<Tokenizer> tokenizer_;
    std::vector<Role> roles_;
    uint32_t dims_ = 0;
};

}  // namespace lookalike
