// A network that runs by itself, without a library: for transformers, which OpenCV does not run.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "network/operators.h"

namespace lookalike {

struct GraphLimits {
    uint64_t max_elements = uint64_t{1} << 26;  ///< of a tensor that is computed
    size_t max_nodes = 100'000;
};

class Graph {
  public:
    /// Computes at once what depends on no input. `output` is the name of what is wanted; empty for
    /// the one with "embed" in its name, else the first. Throws NetworkError, which names the node.
    Graph(OnnxFile file, const std::string& output, const GraphLimits& limits = {});

    const std::vector<OnnxValue>& inputs() const { return inputs_; }
    /// One tensor for each input. Throws NetworkError.
    Tensor run(const std::vector<Tensor>& inputs) const;
    uint64_t memory_bytes() const;  ///< of the constants

  private:
    struct Step {
        OnnxNode node;
        Operator run;
        std::vector<size_t> inputs;   ///< slots; 0 is the empty one
        std::vector<size_t> outputs;  ///< the same
        std::vector<size_t> ended;    ///< slots that nothing reads after this step
    };

    size_t slot_of(const std::string& name);
    Step read_step(OnnxNode node);
    void keep_what_is_needed();
    void find_ends();
    void compute(const Step& step, std::vector<Tensor>& values) const;

    int64_t opset_;
    uint64_t max_elements_;
    std::vector<OnnxValue> inputs_;
    std::vector<size_t> input_slots_;
    size_t output_slot_ = 0;
    std::map<std::string, size_t> slots_;
    std::vector<Tensor> constants_;  ///< by slot; empty where a run computes it
    std::vector<Step> steps_;
};

}  // namespace lookalike
