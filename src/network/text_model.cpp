#include "network/text_model.h"

#include <algorithm>
#include <cmath>

#include "core/vector/element.h"
#include "core/vector/unit_length.h"

namespace lookalike {
TextModel::TextModel(std::string_view onnx, std::string_view tokenizer, const TextConfig& config)
    : config_(config),
      graph_(read_onnx(onnx), config.layer),
      tokenizer_(make_tokenizer(config.tokenizer, tokenizer, config.lower_case)) {
    assign_roles();
    // A text that takes the highest number, which must be one that the network knows.
    const size_t count = features("a").size();
    if (count > kMaxDims)
        throw NetworkError("it gives " + std::to_string(count) + " dimensions, at most " +
                           std::to_string(kMaxDims) + " are allowed");
    dims_ = static_cast<uint32_t>(count);
    Tokens highest = tokenizer_->encode("", config_.context);
    highest.ids[0] = tokenizer_->vocabulary_size() - 1;
    run(highest);
}

void TextModel::assign_roles() {
    size_t unnamed = 0;
    for (const OnnxValue& input : graph_.inputs()) {
        const auto named = [&](const char* part) {
            return input.name.find(part) != input.name.npos;
        };
        Role role = Role::kTokens;
        if (named("mask"))
            role = Role::kMask;
        else if (named("type"))
            role = Role::kZeros;
        else if (named("position"))
            role = Role::kPositions;
        unnamed += role == Role::kTokens;
        const bool fits =
            input.shape.empty() || (input.shape.size() == 2 && input.shape[0] <= 1 &&
                                    (input.shape[1] == 0 || input.shape[1] == config_.context));
        if (input.is_float || !fits)
            throw NetworkError("its input \"" + input.name.substr(0, 100) +
                               "\" does not take 1 x " + std::to_string(config_.context) +
                               " whole numbers");
        roles_.push_back(role);
    }
    if (unnamed != 1)
        throw NetworkError("it has " + std::to_string(unnamed) +
                           " inputs that may be tokens, one is wanted");
}

std::vector<float> TextModel::features(std::string_view text) const {
    return run(tokenizer_->encode(text, config_.context));
}

std::vector<float> TextModel::run(const Tokens& tokens) const {
    const int64_t context = config_.context;
    std::vector<Tensor> inputs;
    for (const Role role : roles_) {
        std::vector<int64_t> numbers(config_.context, 0);
        if (role == Role::kTokens) numbers = tokens.ids;
        if (role == Role::kMask) std::fill_n(numbers.begin(), tokens.length, 1);
        for (int64_t i = 0; role == Role::kPositions && i < context; ++i)
            numbers[static_cast<size_t>(i)] = i;
        inputs.push_back(Tensor::integers({1, context}, std::move(numbers)));
    }
    std::vector<float> descriptor = pooled(graph_.run(inputs), tokens);
    if (config_.normalize) scale_to_unit_length(descriptor);
    for (const float element : descriptor)
        if (!std::isfinite(element)) throw NetworkError("it gave a number that is not finite");
    return descriptor;
}

std::vector<float> TextModel::pooled(const Tensor& output, const Tokens& tokens) const {
    if (!output.is_float() || output.count() == 0) throw NetworkError("it does not give floats");
    const std::vector<float>& rows = output.reals();
    const auto width = static_cast<size_t>(output.shape().empty() ? 1 : output.shape().back());
    if (rows.size() == width) return rows;
    if (rows.size() != width * config_.context)
        throw NetworkError("its output of shape " + to_string(output.shape()) +
                           " is neither a descriptor nor one for each token");
    std::vector<float> descriptor(width, 0);
    const size_t end = tokens.length - 1;
    const size_t first = config_.pooling == Pooling::kEnd ? end : 0;
    const size_t last = config_.pooling == Pooling::kFirst ? 0 : end;
    for (size_t row = first; row <= last; ++row)
        for (size_t i = 0; i < width; ++i)
            descriptor[i] += rows[row * width + i];
    for (float& element : descriptor)
        element /= static_cast<float>(last - first + 1);
    return descriptor;
}

}  // namespace lookalike
