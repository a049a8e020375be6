// The text form of descriptors: "[1,2.5,-3]" for real and half, "x0f3a", "b10110" or "10110" for
// bit. Never allocates and never throws: the caller sizes a buffer with text_shape() or
// max_text_bytes() and passes it in.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/vector/element.h"

namespace lookalike {

enum class TextFault : uint8_t {
    kNone,
    kEmpty,              ///< nothing but white space
    kBadStart,           ///< neither '[' nor 'x' nor 'b', and not 0s and 1s only
    kNoDimensions,       ///< "[]", "x", "b"
    kTooManyDimensions,  ///< more than the kind may have
    kBadElement,         ///< not a number, or not a digit of the form
    kNotANumber,         ///< NaN
    kInfinite,           ///< Infinity, however it is written
    kOutOfRange,         ///< overflows the element type
    kUnclosed,           ///< ended before ']'
    kTrailingText,       ///< text after the value
};

/// What a text announces, found without reading its numbers.
struct TextShape {
    TextFault fault;
    bool is_bit;
    uint32_t dims;  ///< valid when fault is kNone
};

/// Counts the dimensions of `text`, so that the caller can allocate.
TextShape text_shape(std::string_view text);

struct TextResult {
    TextFault fault;
    std::string_view element;  ///< the element at fault, a part of the text; may be empty
};

/// Reads the elements of `text` into `elements`.
/// REQUIRES: text_shape(text) has no fault; `kind` is kBit exactly when it says is_bit;
/// `elements` has room for element_bytes(kind, dims) and is aligned for the kind.
TextResult parse_text(std::string_view text, Kind kind, uint32_t dims, void* elements);

/// Bytes that format_text() may write for a descriptor of this kind and size.
size_t max_text_bytes(Kind kind, uint32_t dims);

/// Writes the shortest text that parses back to the same elements of the same kind; returns its
/// length, without a terminating zero. REQUIRES: room for max_text_bytes().
size_t format_text(const DescriptorView& descriptor, char* out);

}  // namespace lookalike
