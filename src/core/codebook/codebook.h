// A codebook: the words that local features are told by, and how the words of a picture become a
// descriptor. What the registry keeps of it, and its use. docs/LEARNING.md has the formulas.
//
//     bytes 0..31    CodebookHeader
//     then floats    input map: bits or bytes of a feature to feature_dims numbers
//                    score map: these numbers, of kFisher their squares as well, to a score for
//                    each word; the word with the greatest one has the feature
//                    word numbers: kBow a weight for each word; kVlad feature_dims numbers, its
//                    middle; kFisher the middles, then what each dimension is multiplied by, then
//                    two numbers that the sums of a word are multiplied by
//                    output map, if is_reduced: to dims numbers
//
// A map is what core/vector/projection.h has behind its header: rows, then an offset. Numbers are
// in native byte order, which is little-endian wherever this runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

#include "core/local/local_features.h"
#include "core/vector/projection.h"

namespace lookalike {

/// What becomes of the words of a picture. Numbers are never reused.
enum class CodebookAim : uint8_t {
    kBow = 1,     ///< how often there are which
    kVlad = 2,    ///< where their features lie from them, added up
    kFisher = 3,  ///< the same, and how widely; words share features
};
const char* codebook_aim_name(CodebookAim aim);
constexpr bool is_codebook_aim(unsigned aim) {
    return aim >= 1 && aim <= 3;
}

constexpr uint32_t kCodebookMagic = 0x434b414c;  // "LAKC"
constexpr uint16_t kCodebookVersion = 1;

constexpr uint32_t kMaxWords = 16000;
/// Numbers that a picture has before they become fewer.
constexpr uint32_t kMaxWordSums = 65536;
/// Nothing that is learned is as large; sums of such numbers do not overflow.
constexpr float kMaxCodebookNumber = 1e5f;
/// Features are told by so many numbers at most.
constexpr uint32_t kMaxFeatureDims = 64;

struct CodebookHeader {
    uint32_t magic;
    uint16_t version;
    CodebookAim aim;
    LocalKind kind;         ///< of the features
    uint8_t local_version;  ///< theirs
    uint8_t is_reduced;     ///< 1: there is an output map
    uint16_t reserved;      ///< 0
    uint32_t max_features;  ///< of a picture, where they are looked for
    uint32_t word_count;
    uint32_t feature_dims;
    uint32_t dims;  ///< of the descriptor
    uint32_t padding;
};
static_assert(sizeof(CodebookHeader) == 32);

/// Numbers of a feature as it comes.
constexpr uint32_t input_dims(LocalKind kind) {
    return kind == LocalKind::kOrb ? 256 : 128;
}
/// What the score map takes.
constexpr uint32_t score_dims(const CodebookHeader& header) {
    return header.feature_dims * (header.aim == CodebookAim::kFisher ? 2 : 1);
}
/// Numbers of a picture before an output map.
constexpr uint64_t word_sums(const CodebookHeader& header) {
    if (header.aim == CodebookAim::kBow) return header.word_count;
    return uint64_t{header.word_count} * score_dims(header);
}
constexpr uint64_t word_numbers(const CodebookHeader& header) {
    const uint64_t pairs = header.aim == CodebookAim::kFisher ? 2 * header.word_count : 0;
    return word_sums(header) + pairs;
}
constexpr uint64_t map_numbers(uint64_t dims_in, uint64_t dims_out) {
    return (dims_in + 1) * dims_out;
}
/// Bytes of a codebook with this header.
constexpr uint64_t codebook_bytes(const CodebookHeader& header) {
    uint64_t numbers = map_numbers(input_dims(header.kind), header.feature_dims) +
                       map_numbers(score_dims(header), header.word_count) + word_numbers(header);
    if (header.is_reduced) numbers += map_numbers(word_sums(header), header.dims);
    return sizeof(CodebookHeader) + numbers * sizeof(float);
}

/// Bytes that stand for such a codebook are wrong.
class InvalidCodebook : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Does not own its numbers.
struct CodebookView {
    CodebookHeader header;
    ProjectionView input;
    ProjectionView scores;
    const float* words;
    ProjectionView output;  ///< if header.is_reduced
};

/// What the bytes say. Throws InvalidCodebook. REQUIRES: aligned as float.
CodebookView parse_codebook(std::span<const std::byte> bytes);

/// A feature as it comes, input_dims() numbers of about length 1: bits as -1 and 1, bytes as they
/// are.
void feature_numbers(const LocalFeatures& features, uint32_t index, float* numbers);

/// The numbers of feature `index` that words are told by: header.feature_dims of them.
void map_feature(const CodebookView& codebook, const LocalFeatures& features, uint32_t index,
                 float* result);

/// The sums of a picture's words, word_sums() numbers, of length 1; zeros where there are no
/// features. REQUIRES: features.kind() == header.kind.
void add_up_words(const CodebookView& codebook, const LocalFeatures& features, float* sums,
                  CheckForEnd check = nullptr);

/// The descriptor: header.dims numbers, of length 1. Pictures without features have one in common:
/// zeros, or if header.is_reduced what becomes of these. Zeros there would be nearer to most
/// pictures than these are to each other.
/// REQUIRES: as add_up_words.
void describe_by_words(const CodebookView& codebook, const LocalFeatures& features, float* result,
                       CheckForEnd check = nullptr);

}  // namespace lookalike
