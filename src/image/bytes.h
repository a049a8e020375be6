// Bounded reads of integers from a file's bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "core/no_postgres.h"

namespace lookalike {

/// Thrown by Bytes for a read beyond the end; never leaves the image layer.
struct BytesEnd {};

/// A view whose reads throw BytesEnd instead of leaving it. Does not own.
class Bytes {
  public:
    explicit Bytes(std::span<const uint8_t> data) : data_(data) {}

    size_t size() const { return data_.size(); }
    std::span<const uint8_t> span() const { return data_; }

    /// `count` bytes from `offset` on.
    Bytes part(uint64_t offset, uint64_t count) const {
        if (offset > data_.size() || count > data_.size() - offset) throw BytesEnd{};
        return Bytes(data_.subspan(offset, count));
    }
    Bytes from(uint64_t offset) const {
        if (offset > data_.size()) throw BytesEnd{};
        return Bytes(data_.subspan(offset));
    }
    /// At most `count` bytes from `offset` on, as many as there are.
    Bytes up_to(uint64_t offset, uint64_t count) const {
        const Bytes rest = from(offset);
        return rest.part(0, count < rest.size() ? count : rest.size());
    }
    bool starts_with(std::string_view text, size_t offset = 0) const {
        return offset <= data_.size() && text.size() <= data_.size() - offset &&
               std::memcmp(data_.data() + offset, text.data(), text.size()) == 0;
    }

    uint8_t u8(uint64_t offset) const {
        if (offset >= data_.size()) throw BytesEnd{};
        return data_[offset];
    }
    uint64_t big_endian(uint64_t offset, int bytes) const {
        uint64_t value = 0;
        for (int i = 0; i < bytes; ++i) {
            value = value << 8 | u8(offset + i);
        }
        return value;
    }
    uint64_t little_endian(uint64_t offset, int bytes) const {
        uint64_t value = 0;
        for (int i = bytes - 1; i >= 0; --i) {
            value = value << 8 | u8(offset + i);
        }
        return value;
    }

  private:
    std::span<const uint8_t> data_;
};

}  // namespace lookalike
