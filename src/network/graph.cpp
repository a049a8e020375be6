#include "network/graph.h"

#include <stdexcept>

namespace lookalike {
namespace {

std::string wanted_output(const OnnxFile& file, const std::string& output) {
    if (!output.empty()) return output;
    for (const OnnxValue& value : file.outputs)
        if (value.name.find("embed") != value.name.npos) return value.name;
    if (file.outputs.empty()) throw NetworkError("the network has no output");
    return file.outputs[0].name;
}

}  // namespace

Graph::Graph(OnnxFile file, const std::string& output, const GraphLimits& limits)
    : opset_(file.opset), max_elements_(limits.max_elements), inputs_(file.inputs) {
    if (file.nodes.size() > limits.max_nodes) throw NetworkError("the network has too many nodes");
    const std::string wanted = wanted_output(file, output);
    slots_[""] = 0;
    constants_.emplace_back();
    for (auto& [name, tensor] : file.constants)
        constants_[slot_of(name)] = std::move(tensor);
    std::vector<bool> is_known(constants_.size(), true);
    for (const OnnxValue& input : inputs_)
        input_slots_.push_back(slot_of(input.name));
    is_known.resize(constants_.size(), true);
    for (OnnxNode& node : file.nodes) {
        steps_.push_back(read_step(std::move(node)));
        const Step& step = steps_.back();
        is_known.resize(constants_.size(), false);
        for (const size_t slot : step.inputs)
            if (!is_known[slot])
                throw NetworkError(step.node.title() + " reads what no node before it gives");
        for (const size_t slot : step.outputs) {
            if (slot != 0 && is_known[slot])
                throw NetworkError(step.node.title() + " gives what is there already");
            is_known[slot] = true;
        }
    }
    const auto found = slots_.find(wanted);
    if (found == slots_.end() || wanted.empty())
        throw NetworkError("the network has no output \"" + wanted.substr(0, 100) + "\"");
    output_slot_ = found->second;
    keep_what_is_needed();
    slots_.clear();
}

size_t Graph::slot_of(const std::string& name) {
    const auto [place, is_new] = slots_.try_emplace(name, constants_.size());
    if (is_new) constants_.emplace_back();
    return place->second;
}

Graph::Step Graph::read_step(OnnxNode node) {
    Step step{std::move(node), nullptr, {}, {}, {}};
    step.run = find_operator(step.node.type);
    for (const std::string& name : step.node.inputs)
        step.inputs.push_back(slot_of(name));
    for (const std::string& name : step.node.outputs)
        step.outputs.push_back(slot_of(name));
    return step;
}

/// Drops steps that the output does not depend on, and computes those that depend on no input.
void Graph::keep_what_is_needed() {
    std::vector<bool> is_needed(constants_.size(), false), varies(constants_.size(), false);
    is_needed[output_slot_] = true;
    std::vector<Step> needed;
    for (size_t i = steps_.size(); i-- > 0;) {
        const auto wanted = [&](size_t slot) { return slot != 0 && is_needed[slot]; };
        if (!std::ranges::any_of(steps_[i].outputs, wanted)) continue;
        if (steps_[i].run == nullptr)
            throw NetworkError(steps_[i].node.title() + " is of a type that is not known");
        for (const size_t slot : steps_[i].inputs)
            is_needed[slot] = true;
        needed.push_back(std::move(steps_[i]));
    }
    for (const size_t slot : input_slots_)
        varies[slot] = true;
    steps_.clear();
    std::vector<Tensor> values = std::move(constants_);
    for (size_t i = needed.size(); i-- > 0;) {
        Step& step = needed[i];
        if (std::ranges::any_of(step.inputs, [&](size_t slot) { return varies[slot]; })) {
            for (const size_t slot : step.outputs)
                varies[slot] = slot != 0;
            steps_.push_back(std::move(step));
        } else {
            compute(step, values);
        }
    }
    // What only constants were made of is not read again.
    std::vector<bool> is_read(values.size(), false);
    is_read[output_slot_] = true;
    for (const Step& step : steps_)
        for (const size_t slot : step.inputs)
            is_read[slot] = true;
    for (size_t slot = 0; slot < values.size(); ++slot)
        if (!is_read[slot]) values[slot] = Tensor();
    constants_ = std::move(values);
    find_ends();
}

void Graph::find_ends() {
    std::vector<bool> is_read(constants_.size(), false);
    is_read[output_slot_] = true;
    for (size_t i = steps_.size(); i-- > 0;) {
        for (const size_t slot : steps_[i].inputs) {
            if (is_read[slot]) continue;
            is_read[slot] = true;
            if (constants_[slot].is_empty()) steps_[i].ended.push_back(slot);
        }
    }
}

void Graph::compute(const Step& step, std::vector<Tensor>& values) const {
    OperatorCall call{step.node, opset_, max_elements_, {}};
    for (const size_t slot : step.inputs)
        call.inputs.push_back(&values[slot]);
    try {
        std::vector<Tensor> results = step.run(call);
        for (size_t i = 0; i < step.outputs.size(); ++i) {
            if (step.outputs[i] == 0) continue;
            if (i >= results.size()) throw NetworkError("more outputs are wanted than it gives");
            values[step.outputs[i]] = std::move(results[i]);
        }
    } catch (const NetworkError& error) {
        throw NetworkError(step.node.title() + " cannot be run: " + error.what());
    } catch (const std::out_of_range&) {
        throw NetworkError(step.node.title() + " cannot be run: an input is empty");
    }
}

Tensor Graph::run(const std::vector<Tensor>& inputs) const {
    if (inputs.size() != input_slots_.size())
        throw NetworkError("the network has another number of inputs");
    std::vector<Tensor> values = constants_;
    for (size_t i = 0; i < inputs.size(); ++i)
        values[input_slots_[i]] = inputs[i];
    for (const Step& step : steps_) {
        compute(step, values);
        for (const size_t slot : step.ended)
            values[slot] = Tensor();
    }
    return values[output_slot_];
}

uint64_t Graph::memory_bytes() const {
    uint64_t bytes = 0;
    for (const Tensor& tensor : constants_)
        bytes += tensor.memory_bytes();
    return bytes;
}

}  // namespace lookalike
