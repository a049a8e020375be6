// ONNX files written by hand. Fields are numbered as in onnx.proto.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

namespace lookalike {

class ProtobufWriter {
  public:
    ProtobufWriter& number(int field, int64_t value) {
        varint(static_cast<uint64_t>(field) << 3);
        varint(static_cast<uint64_t>(value));
        return *this;
    }
    ProtobufWriter& real(int field, float value) {
        varint(static_cast<uint64_t>(field) << 3 | 5);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
        return *this;
    }
    ProtobufWriter& text(int field, const std::string& value) {
        varint(static_cast<uint64_t>(field) << 3 | 2);
        varint(value.size());
        bytes_ += value;
        return *this;
    }
    ProtobufWriter& message(int field, const ProtobufWriter& value) {
        return text(field, value.bytes_);
    }
    const std::string& bytes() const { return bytes_; }

  private:
    void varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7)
            bytes_ += static_cast<char>(value | 0x80);
        bytes_ += static_cast<char>(value);
    }

    std::string bytes_;
};

/// A network, node by node.
class OnnxBuilder {
  public:
    using Names = std::vector<std::string>;
    using Sizes = std::vector<int64_t>;

    explicit OnnxBuilder(int opset = 14) : opset_(opset) {}

    /// What the next node has besides its inputs.
    OnnxBuilder& with(const std::string& name, int64_t value) {
        attributes_.push_back(ProtobufWriter().text(1, name).number(3, value).number(20, 2));
        return *this;
    }
    OnnxBuilder& with(const std::string& name, const Sizes& values) {
        ProtobufWriter attribute;
        attribute.text(1, name);
        for (const int64_t value : values)
            attribute.number(8, value);
        attributes_.push_back(attribute.number(20, 7));
        return *this;
    }
    OnnxBuilder& node(const std::string& type, const Names& inputs, const Names& outputs) {
        ProtobufWriter node;
        for (const std::string& input : inputs)
            node.text(1, input);
        for (const std::string& output : outputs)
            node.text(2, output);
        node.text(3, "/" + outputs.at(0)).text(4, type);
        for (const ProtobufWriter& attribute : attributes_)
            node.message(5, attribute);
        attributes_.clear();
        graph_.message(1, node);
        return *this;
    }
    OnnxBuilder& floats(const std::string& name, const Sizes& shape,
                        const std::vector<float>& elements) {
        return constant(name, shape, 1, elements.data(), elements.size() * sizeof(float));
    }
    OnnxBuilder& integers(const std::string& name, const Sizes& shape, const Sizes& elements) {
        return constant(name, shape, 7, elements.data(), elements.size() * sizeof(int64_t));
    }
    OnnxBuilder& input(const std::string& name, const Sizes& shape, bool is_float) {
        graph_.message(11, value(name, shape, is_float));
        return *this;
    }
    OnnxBuilder& output(const std::string& name, const Sizes& shape = {}) {
        graph_.message(12, value(name, shape, true));
        return *this;
    }

    std::string file() const {
        ProtobufWriter model, opset;
        opset.text(1, "").number(2, opset_);
        return model.number(1, 7).message(7, graph_).message(8, opset).bytes();
    }

  private:
    OnnxBuilder& constant(const std::string& name, const Sizes& shape, int type, const void* data,
                          size_t bytes) {
        ProtobufWriter tensor;
        for (const int64_t size : shape)
            tensor.number(1, size);
        tensor.number(2, type).text(8, name);
        graph_.message(5, tensor.text(9, std::string(static_cast<const char*>(data), bytes)));
        return *this;
    }
    static ProtobufWriter value(const std::string& name, const Sizes& sizes, bool is_float) {
        ProtobufWriter shape, tensor, type, info;
        for (const int64_t size : sizes)
            shape.message(1, ProtobufWriter().number(1, size));
        tensor.number(1, is_float ? 1 : 7).message(2, shape);
        return info.text(1, name).message(2, type.message(1, tensor));
    }

    int opset_;
    ProtobufWriter graph_;
    std::vector<ProtobufWriter> attributes_;
};

}  // namespace lookalike
