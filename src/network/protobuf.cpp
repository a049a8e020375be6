#include "network/protobuf.h"

#include <cstring>

namespace lookalike {
namespace {

[[noreturn]] void fail() {
    throw NetworkError("network file is damaged or no ONNX");
}

}  // namespace

uint64_t ProtobufReader::read_varint(std::string_view& rest) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (rest.empty()) fail();
        const auto byte = static_cast<unsigned char>(rest[0]);
        rest.remove_prefix(1);
        value |= uint64_t{byte & 0x7Fu} << shift;
        if (byte < 0x80) return value;
    }
    fail();
}

float ProtobufReader::real_at(std::string_view bytes) {
    float value;
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
}

std::string_view ProtobufReader::take(uint64_t length) {
    if (length > rest_.size()) fail();
    const std::string_view piece = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return piece;
}

bool ProtobufReader::next() {
    if (rest_.empty()) return false;
    const uint64_t tag = read_varint(rest_);
    field_ = tag >> 3;
    wire_ = tag & 7;
    switch (wire_) {
        case kVarint:
            integer_ = read_varint(rest_);
            return true;
        case kFixed64:
            bytes_ = take(8);
            return true;
        case kBytes:
            bytes_ = take(read_varint(rest_));
            return true;
        case kFixed32:
            bytes_ = take(4);
            return true;
        default:
            fail();
    }
}

int64_t ProtobufReader::integer() const {
    if (wire_ != kVarint) fail();
    return static_cast<int64_t>(integer_);
}

float ProtobufReader::real() const {
    if (wire_ != kFixed32) fail();
    return real_at(bytes_);
}

std::string_view ProtobufReader::bytes() const {
    if (wire_ != kBytes) fail();
    return bytes_;
}

}  // namespace lookalike
