// A codebook that describes pictures: finds their local features and tells them by its words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/codebook/codebook.h"
#include "image/image.h"

#include "core/no_postgres.h"

namespace lookalike {

class Codebook {
  public:
    /// Copies the bytes that core/codebook/codebook.h describes. Throws ImageError with kModel.
    explicit Codebook(std::span<const uint8_t> bytes);

    uint32_t dims() const { return view_.header.dims; }
    uint64_t memory_bytes() const { return bytes_.size(); }
    /// "bow", "vlad", "fisher"
    const char* kind_name() const { return codebook_aim_name(view_.header.aim); }

    /// The descriptor of a picture, as describe_by_words() gives it. Throws ImageError.
    /// REQUIRES: room for dims() numbers.
    void describe(std::span<const uint8_t> image, const ImageLimits& limits,
                  std::span<float> result) const;

  private:
    std::vector<std::byte> bytes_;
    CodebookView view_;
};

}  // namespace lookalike
