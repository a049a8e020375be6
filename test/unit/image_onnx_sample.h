// A network small enough to know its answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lookalike {

/// An ONNX file: a 1 x 1 convolution from 3 channels to `weights.size() / 3`, whose output
/// "averages" is its mean over the picture. One row of three weights an output channel, in the
/// network's channel order. REQUIRES: `weights` holds whole rows.
std::vector<uint8_t> averaging_network(const std::vector<float>& weights, int side);

}  // namespace lookalike
