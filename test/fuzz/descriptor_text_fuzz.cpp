// Round trips of the text form. The first byte chooses what the others are: text that comes from a
// user (text -> elements -> text -> elements), or elements of one kind (elements -> text ->
// elements). Buffers have exactly the size that the contract asks for, so that the address
// sanitizer sees a byte too many.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "core/vector/half.h"
#include "core/vector/text_form.h"

using namespace lookalike;

namespace {

using Buffer = std::unique_ptr<char[]>;

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

bool is_finite(Kind kind, const void* elements, uint32_t index) {
    const DescriptorView view{kind, index + 1, elements};
    if (kind == Kind::kHalf) return std::isfinite(half_to_float(view.halves()[index]));
    return kind == Kind::kBit || std::isfinite(view.reals()[index]);
}

// The text of the elements gives the same elements again, to the last bit.
void check_value(Kind kind, uint32_t dims, const void* elements) {
    const Buffer text(new char[max_text_bytes(kind, dims)]);
    const std::string_view written(text.get(), format_text({kind, dims, elements}, text.get()));
    const TextShape shape = text_shape(written);
    require(shape.fault == TextFault::kNone, "written text has a shape");
    require(shape.is_bit == (kind == Kind::kBit), "written text keeps bits and numbers apart");
    require(shape.dims == dims, "written text keeps the dimensions");
    const size_t bytes = element_bytes(kind, dims);
    const Buffer back(new char[bytes]);
    require(parse_text(written, kind, dims, back.get()).fault == TextFault::kNone,
            "written text is read");
    require(std::memcmp(back.get(), elements, bytes) == 0, "elements come back");
}

void check_text(std::string_view text, Kind number_kind) {
    const TextShape shape = text_shape(text);
    if (shape.fault != TextFault::kNone) return;
    const Kind kind = shape.is_bit ? Kind::kBit : number_kind;
    require(shape.dims >= 1 && shape.dims <= max_dims(kind), "dimensions are within the limits");
    const Buffer elements(new char[element_bytes(kind, shape.dims)]);
    const TextResult result = parse_text(text, kind, shape.dims, elements.get());
    if (result.fault != TextFault::kNone) {
        require(result.element.empty() ||
                    (result.element.data() >= text.data() &&
                     result.element.data() + result.element.size() <= text.data() + text.size()),
                "the element at fault is a part of the text");
        return;
    }
    for (uint32_t i = 0; i < shape.dims; ++i)
        require(is_finite(kind, elements.get(), i), "what is read is finite");
    if (kind == Kind::kBit && shape.dims % 8 != 0) {
        const char last = elements[element_bytes(kind, shape.dims) - 1];
        require((last & (0xff >> (shape.dims % 8))) == 0, "unused bits are zero");
    }
    check_value(kind, shape.dims, elements.get());
}

void check_bytes(Kind kind, const uint8_t* data, size_t size) {
    const size_t unit = element_bytes(kind, kind == Kind::kBit ? 8 : 1);
    size_t dims = size / unit * (kind == Kind::kBit ? 8 : 1);
    if (kind == Kind::kBit && size > 0) dims -= data[0] % 8;
    if (dims < 1 || dims > max_dims(kind)) return;
    const size_t bytes = element_bytes(kind, static_cast<uint32_t>(dims));
    const Buffer elements(new char[bytes]);
    std::memcpy(elements.get(), data, bytes);
    if (kind == Kind::kBit && dims % 8 != 0)
        elements[bytes - 1] = static_cast<char>(elements[bytes - 1] & ~(0xff >> (dims % 8)));
    for (uint32_t i = 0; i < dims; ++i)
        if (!is_finite(kind, elements.get(), i)) return;
    check_value(kind, static_cast<uint32_t>(dims), elements.get());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const uint8_t choice = data[0];
    // A copy of its own: a read behind the end of the text is a read behind the end of the block.
    const Buffer copy(new char[size - 1]);
    std::memcpy(copy.get(), data + 1, size - 1);
    const std::string_view text(copy.get(), size - 1);
    switch (choice % 5) {
        case 0:
            check_text(text, Kind::kReal);
            break;
        case 1:
            check_text(text, Kind::kHalf);
            break;
        default:
            check_bytes(static_cast<Kind>(choice % 5 - 2), data + 1, size - 1);
    }
    return 0;
}
