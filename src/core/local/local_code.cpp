#include "core/local/local_code.h"

#include <cstring>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

constexpr uint32_t kNumbers = 128;
static_assert(kNumbers == kLocalCodeBits);

// The least number that half of all do not exceed.
uint8_t median_of(const uint8_t* numbers) {
    uint8_t counts[256] = {};
    for (uint32_t i = 0; i < kNumbers; ++i)
        ++counts[numbers[i]];
    uint32_t below = 0;
    for (uint32_t value = 0;; ++value) {
        below += counts[value];
        if (below >= kNumbers / 2) return static_cast<uint8_t>(value);
    }
}

void code_of_numbers(const uint8_t* numbers, uint8_t* code) {
    const uint8_t median = median_of(numbers);
    std::memset(code, 0, kLocalCodeBytes);
    for (uint32_t i = 0; i < kNumbers; ++i)
        code[i / 8] |= static_cast<uint8_t>((numbers[i] > median) << i % 8);
}

}  // namespace

void local_codes(const LocalFeatures& features, uint8_t* codes) {
    for (uint32_t i = 0; i < features.count(); ++i, codes += kLocalCodeBytes) {
        if (features.kind() == LocalKind::kOrb) {
            std::memcpy(codes, features.descriptor(i), kLocalCodeBytes);
        } else {
            code_of_numbers(features.descriptor(i), codes);
        }
    }
}

}  // namespace lookalike
