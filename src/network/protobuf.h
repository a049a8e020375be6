// Protocol buffers, read field by field from bytes that may be anything.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "network/tensor.h"

namespace lookalike {

class ProtobufReader {
  public:
    explicit ProtobufReader(std::string_view message) : rest_(message) {}

    /// Moves on to the next field; false at the end. Throws NetworkError where there is none.
    bool next();

    uint64_t field() const { return field_; }
    /// The value of the field that it is at; NetworkError if it is of another wire type.
    int64_t integer() const;
    float real() const;
    std::string_view bytes() const;

    /// Calls with each number of a field that has one, or many as one piece.
    template <class Visit>
    void each_integer(Visit visit) const {
        if (wire_ != kBytes) return visit(integer());
        for (std::string_view rest = bytes_; !rest.empty();)
            visit(static_cast<int64_t>(read_varint(rest)));
    }
    template <class Visit>
    void each_real(Visit visit) const {
        if (wire_ != kBytes) return visit(real());
        for (size_t i = 0; i + sizeof(float) <= bytes_.size(); i += sizeof(float))
            visit(real_at(bytes_.substr(i)));
    }

  private:
    static constexpr unsigned kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;
    static uint64_t read_varint(std::string_view& rest);
    static float real_at(std::string_view bytes);
    std::string_view take(uint64_t length);

    std::string_view rest_;
    uint64_t field_ = 0;
    unsigned wire_ = kVarint;
    uint64_t integer_ = 0;
    std::string_view bytes_;
};

}  // namespace lookalike
