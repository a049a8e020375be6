#include "image_onnx_sample.h"

#include <cstring>

namespace lookalike {
namespace {

// Protocol buffers, as far as ONNX needs them here. Fields are numbered as in onnx.proto.
class Message {
  public:
    Message& number(int field, uint64_t value) {
        varint(static_cast<uint64_t>(field) << 3);
        varint(value);
        return *this;
    }
    Message& text(int field, const std::string& value) {
        varint(static_cast<uint64_t>(field) << 3 | 2);
        varint(value.size());
        bytes_ += value;
        return *this;
    }
    Message& message(int field, const Message& value) { return text(field, value.bytes_); }
    const std::string& bytes() const { return bytes_; }

  private:
    void varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7) {
            bytes_ += static_cast<char>(value | 0x80);
        }
        bytes_ += static_cast<char>(value);
    }

    std::string bytes_;
};

constexpr int kFloat = 1;
constexpr int kInts = 7;

Message tensor_info(const std::string& name, const std::vector<int>& sizes) {
    Message shape;
    for (const int size : sizes) {
        shape.message(1, Message().number(1, size));
    }
    const Message tensor = Message().number(1, kFloat).message(2, shape);
    return Message().text(1, name).message(2, Message().message(1, tensor));
}

Message node(const std::string& type, const std::vector<std::string>& inputs,
             const std::string& output) {
    Message message;
    for (const std::string& input : inputs) {
        message.text(1, input);
    }
    return message.text(2, output).text(3, output).text(4, type);
}

}  // namespace

std::vector<uint8_t> averaging_network(const std::vector<float>& weights, int side) {
    const int outputs = static_cast<int>(weights.size() / 3);
    std::string raw(weights.size() * sizeof(float), '\0');
    std::memcpy(raw.data(), weights.data(), raw.size());
    Message kernel;
    for (const int size : {outputs, 3, 1, 1}) {
        kernel.number(1, size);
    }
    kernel.number(2, kFloat).text(8, "weights").text(9, raw);
    const Message shape =
        Message().text(1, "kernel_shape").number(8, 1).number(8, 1).number(20, kInts);
    Message graph;
    graph.message(1, node("Conv", {"image", "weights"}, "mixed").message(5, shape))
        .message(1, node("GlobalAveragePool", {"mixed"}, "averages"))
        .text(2, "averaging")
        .message(5, kernel)
        .message(11, tensor_info("image", {1, 3, side, side}))
        .message(12, tensor_info("averages", {1, outputs, 1, 1}));
    const Message model =
        Message().number(1, 4).message(7, graph).message(8, Message().text(1, "").number(2, 9));
    return {model.bytes().begin(), model.bytes().end()};
}

}  // namespace lookalike
