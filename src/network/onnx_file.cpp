#include "network/onnx_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/vector/half.h"
#include "network/protobuf.h"

namespace lookalike {
namespace {

// Numbers of onnx.proto.
enum DataType : int64_t {
    kFloat = 1,
    kUint8 = 2,
    kInt8 = 3,
    kInt32 = 6,
    kInt64 = 7,
    kBool = 9,
    kFloat16 = 10,
    kDouble = 11
};

[[noreturn]] void fail_on_type(int64_t type) {
    throw NetworkError("a constant of the network is of type " + std::to_string(type) +
                       ", which is not read");
}

template <class Stored, class To, class Convert>
std::vector<To> converted(std::string_view raw, Convert convert) {
    std::vector<To> elements(raw.size() / sizeof(Stored));
    for (size_t i = 0; i < elements.size(); ++i) {
        Stored stored;
        std::memcpy(&stored, raw.data() + i * sizeof(Stored), sizeof(Stored));
        elements[i] = convert(stored);
    }
    return elements;
}

template <class Stored>
std::vector<int64_t> whole_numbers(std::string_view raw) {
    return converted<Stored, int64_t>(raw, [](Stored x) { return static_cast<int64_t>(x); });
}

/// A tensor as it is being read: its elements lie in one of these.
struct TensorParts {
    Shape shape;
    int64_t type = 0;
    std::string name;
    std::optional<std::string_view> raw;
    std::vector<float> reals;
    std::vector<int64_t> integers;

    Tensor from_raw() const;
    Tensor from_lists();
};

Tensor TensorParts::from_raw() const {
    switch (type) {
        case kFloat: {
            std::vector<float> elements(raw->size() / sizeof(float));
            if (!elements.empty())
                std::memcpy(elements.data(), raw->data(), elements.size() * sizeof(float));
            return Tensor::floats(shape, std::move(elements));
        }
        case kFloat16:
            return Tensor::floats(shape, converted<uint16_t, float>(
                                             *raw, [](uint16_t x) { return half_to_float(x); }));
        case kDouble:
            return Tensor::floats(shape, converted<double, float>(
                                             *raw, [](double x) { return static_cast<float>(x); }));
        case kUint8:
        case kBool:
            return Tensor::integers(shape, whole_numbers<uint8_t>(*raw));
        case kInt8:
            return Tensor::integers(shape, whole_numbers<int8_t>(*raw));
        case kInt32:
            return Tensor::integers(shape, whole_numbers<int32_t>(*raw));
        case kInt64:
            return Tensor::integers(shape, whole_numbers<int64_t>(*raw));
        default:
            fail_on_type(type);
    }
}

Tensor TensorParts::from_lists() {
    switch (type) {
        case kFloat:
            return Tensor::floats(shape, std::move(reals));
        case kFloat16: {
            std::vector<float> elements;
            for (const int64_t bits : integers)
                elements.push_back(half_to_float(static_cast<uint16_t>(bits)));
            return Tensor::floats(shape, std::move(elements));
        }
        case kUint8:
        case kBool:
        case kInt8:
        case kInt32:
        case kInt64:
            return Tensor::integers(shape, std::move(integers));
        default:
            fail_on_type(type);
    }
}

Tensor read_tensor(std::string_view bytes, std::string* name = nullptr) {
    TensorParts parts;
    for (ProtobufReader reader(bytes); reader.next();) {
        switch (reader.field()) {
            case 1:
                reader.each_integer([&](int64_t size) { parts.shape.push_back(size); });
                break;
            case 2:
                parts.type = reader.integer();
                break;
            case 4:
                reader.each_real([&](float x) { parts.reals.push_back(x); });
                break;
            case 5:
            case 7:
                reader.each_integer([&](int64_t x) { parts.integers.push_back(x); });
                break;
            case 8:
                parts.name = reader.bytes();
                break;
            case 9:
                parts.raw = reader.bytes();
                break;
            case 14:
                if (reader.integer() != 0)
                    throw NetworkError("the network's weights lie outside of its file");
                break;
            default:
                break;
        }
    }
    element_count(parts.shape);
    if (name != nullptr) *name = parts.name;
    return parts.raw ? parts.from_raw() : parts.from_lists();
}

OnnxAttribute read_attribute(std::string_view bytes) {
    OnnxAttribute attribute;
    for (ProtobufReader reader(bytes); reader.next();) {
        switch (reader.field()) {
            case 1:
                attribute.name = reader.bytes();
                break;
            case 2:
                attribute.real = reader.real();
                break;
            case 3:
                attribute.integer = reader.integer();
                break;
            case 4:
                attribute.text = reader.bytes();
                break;
            case 5:
                attribute.tensor = read_tensor(reader.bytes());
                break;
            case 7:
                reader.each_real([&](float x) { attribute.reals.push_back(x); });
                break;
            case 8:
                reader.each_integer([&](int64_t x) { attribute.integers.push_back(x); });
                break;
            default:
                break;
        }
    }
    return attribute;
}

OnnxNode read_node(std::string_view bytes) {
    OnnxNode node;
    std::string domain;
    for (ProtobufReader reader(bytes); reader.next();) {
        switch (reader.field()) {
            case 1:
                node.inputs.emplace_back(reader.bytes());
                break;
            case 2:
                node.outputs.emplace_back(reader.bytes());
                break;
            case 3:
                node.name = reader.bytes();
                break;
            case 4:
                node.type = reader.bytes();
                break;
            case 5:
                node.attributes.push_back(read_attribute(reader.bytes()));
                break;
            case 7:
                domain = reader.bytes();
                break;
            default:
                break;
        }
    }
    if (!domain.empty() && domain != "ai.onnx") node.type = domain + "." + node.type;
    return node;
}

Shape read_shape(std::string_view bytes) {
    Shape shape;
    for (ProtobufReader reader(bytes); reader.next();) {
        if (reader.field() != 1) continue;
        int64_t size = 0;
        for (ProtobufReader dimension(reader.bytes()); dimension.next();)
            if (dimension.field() == 1) size = std::max<int64_t>(dimension.integer(), 0);
        shape.push_back(size);
    }
    return shape;
}

OnnxValue read_value(std::string_view bytes) {
    OnnxValue value{{}, {}, true};
    for (ProtobufReader reader(bytes); reader.next();) {
        if (reader.field() == 1) value.name = reader.bytes();
        if (reader.field() != 2) continue;
        for (ProtobufReader type(reader.bytes()); type.next();) {
            if (type.field() != 1) continue;
            for (ProtobufReader tensor(type.bytes()); tensor.next();) {
                if (tensor.field() == 1) {
                    const int64_t number = tensor.integer();
                    value.is_float = number == kFloat || number == kFloat16 || number == kDouble;
                }
                if (tensor.field() == 2) value.shape = read_shape(tensor.bytes());
            }
        }
    }
    return value;
}

void read_graph(std::string_view bytes, OnnxFile& file) {
    for (ProtobufReader reader(bytes); reader.next();) {
        switch (reader.field()) {
            case 1:
                file.nodes.push_back(read_node(reader.bytes()));
                break;
            case 5: {
                std::string name;
                Tensor tensor = read_tensor(reader.bytes(), &name);
                file.constants[name] = std::move(tensor);
                break;
            }
            case 11:
                file.inputs.push_back(read_value(reader.bytes()));
                break;
            case 12:
                file.outputs.push_back(read_value(reader.bytes()));
                break;
            default:
                break;
        }
    }
}

int64_t read_opset(std::string_view bytes) {
    int64_t version = 0;
    bool is_own = true;
    for (ProtobufReader reader(bytes); reader.next();) {
        if (reader.field() == 1) is_own = reader.bytes().empty() || reader.bytes() == "ai.onnx";
        if (reader.field() == 2) version = reader.integer();
    }
    return is_own ? version : 0;
}

}  // namespace

const OnnxAttribute* OnnxNode::find(std::string_view attribute) const {
    const auto found = std::ranges::find(attributes, attribute, &OnnxAttribute::name);
    return found == attributes.end() ? nullptr : &*found;
}

int64_t OnnxNode::integer(std::string_view attribute, int64_t fallback) const {
    const OnnxAttribute* found = find(attribute);
    return found == nullptr ? fallback : found->integer;
}

float OnnxNode::real(std::string_view attribute, float fallback) const {
    const OnnxAttribute* found = find(attribute);
    return found == nullptr ? fallback : found->real;
}

std::string OnnxNode::title() const {
    std::string label = name;
    if (label.empty() && !outputs.empty()) label = outputs[0];
    return "node \"" + label.substr(0, 100) + "\" (" + type.substr(0, 50) + ")";
}

OnnxFile read_onnx(std::string_view bytes) {
    OnnxFile file;
    for (ProtobufReader reader(bytes); reader.next();) {
        if (reader.field() == 7) read_graph(reader.bytes(), file);
        if (reader.field() == 8) file.opset = std::max(file.opset, read_opset(reader.bytes()));
    }
    if (file.nodes.empty() || file.opset == 0)
        throw NetworkError("network file is damaged or no ONNX");
    std::erase_if(file.inputs,
                  [&](const OnnxValue& input) { return file.constants.contains(input.name); });
    return file;
}

}  // namespace lookalike
