// What tokenizers need to know of Unicode, sorted by code point.
#pragma once

#include <cstdint>
#include <span>

#include "core/no_postgres.h"

namespace lookalike {

struct CodeRange {
    char32_t first;
    char32_t last;
};

/// Every `step`-th point from `first` to `last` has its small letter `delta` further on.
struct LowerCase {
    char32_t first;
    char32_t last;
    uint32_t step;
    int32_t delta;
};

/// `point` without its marks: one letter, or two (`second` is not 0).
struct BarePoint {
    char32_t point;
    char32_t first;
    char32_t second;
};

extern const std::span<const CodeRange> kLetters;      ///< L
extern const std::span<const CodeRange> kNumbers;      ///< N
extern const std::span<const CodeRange> kSpaces;       ///< White_Space
extern const std::span<const CodeRange> kMarks;        ///< Mn
extern const std::span<const CodeRange> kPunctuation;  ///< P
extern const std::span<const CodeRange> kControls;     ///< Cc, Cf
extern const std::span<const LowerCase> kLowerCase;
extern const std::span<const BarePoint> kBarePoints;

}  // namespace lookalike
