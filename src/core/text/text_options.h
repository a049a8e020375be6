// What a text network is registered with, and how long texts may be.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

constexpr size_t kMaxTextBytes = 65'536;
constexpr uint32_t kMinTokens = 4;  ///< that a network reads at a time: a start, an end, and some
constexpr uint32_t kMaxTokens = 4096;  ///< the same

/// Numbers are never reused.
enum class TokenizerKind : uint32_t {
    kClip = 1,       ///< byte-pair encoding, the file has its merges
    kWordPiece = 2,  ///< of BERT, the file has its vocabulary
};

constexpr bool is_tokenizer_kind(uint32_t number) {
    return number == static_cast<uint32_t>(TokenizerKind::kClip) ||
           number == static_cast<uint32_t>(TokenizerKind::kWordPiece);
}

/// Which row is the descriptor, where a network gives one for each token. Numbers are never reused.
enum class Pooling : uint32_t {
    kEnd = 1,    ///< that of the end token
    kFirst = 2,  ///< that of the start token
    kMean = 3,   ///< the mean of all that are no padding
};

constexpr bool is_pooling(uint32_t number) {
    return number >= static_cast<uint32_t>(Pooling::kEnd) &&
           number <= static_cast<uint32_t>(Pooling::kMean);
}

}  // namespace lookalike
