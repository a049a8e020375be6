#include "core/local/local_text.h"

#include <algorithm>
#include <charconv>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

/// Walks through a text as far as its first fault.
class Cursor {
  public:
    explicit Cursor(std::string_view text) : text_(text) {}

    const char* fault() const { return fault_; }
    size_t offset() const { return at_; }

    void skip_spaces() {
        if (fault_ == nullptr)
            at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size());
    }
    bool skip(std::string_view word) {
        skip_spaces();
        if (fault_ != nullptr || !text_.substr(at_).starts_with(word)) return false;
        at_ += word.size();
        return true;
    }
    void expect(std::string_view word, const char* fault) {
        if (!skip(word)) fail(fault);
    }
    template <class Number>
    Number number(const char* fault) {
        skip_spaces();
        Number value = 0;
        if (fault_ != nullptr) return value;
        const char* begin = text_.data() + at_;
        const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
        if (error != std::errc()) {
            fail(fault);
            return 0;
        }
        at_ += static_cast<size_t>(end - begin);
        return value;
    }
    void octets(uint8_t* to, size_t count) {
        skip_spaces();
        for (size_t i = 0; i < count && fault_ == nullptr; ++i) {
            const char* begin = text_.data() + at_;
            const char* stop = begin + std::min<size_t>(2, text_.size() - at_);
            const auto [end, error] = std::from_chars(begin, stop, to[i], 16);
            if (error != std::errc() || end != begin + 2)
                return fail("expected the hexadecimal digits of a descriptor");
            at_ += 2;
        }
    }
    void expect_end() {
        skip_spaces();
        if (at_ < text_.size()) fail("there is text after the closing \"}\"");
    }
    void fail(const char* fault) {
        if (fault_ == nullptr) fault_ = fault;
    }

  private:
    std::string_view text_;
    size_t at_ = 0;
    const char* fault_ = nullptr;
};

void read_header(Cursor& cursor, LocalFeaturesHeader& header) {
    header = {};
    if (cursor.skip(local_kind_name(LocalKind::kSift))) {
        header.kind = LocalKind::kSift;
    } else {
        cursor.expect(local_kind_name(LocalKind::kOrb), "expected \"orb\" or \"sift\"");
        header.kind = LocalKind::kOrb;
    }
    cursor.expect("@", "expected \"@\" and a version");
    header.version = cursor.number<uint8_t>("expected a version");
    header.width = cursor.number<uint32_t>("expected the width of the picture");
    cursor.expect("x", "expected \"x\" and the height of the picture");
    header.height = cursor.number<uint32_t>("expected the height of the picture");
    header.mirrored = cursor.skip("mirrored");
    cursor.expect("{", "expected \"{\"");
}

LocalText result_of(const Cursor& cursor, const LocalFeaturesHeader& header) {
    return {.fault = cursor.fault(), .offset = cursor.offset(), .header = header};
}

char* put(char* out, uint32_t number) {
    return std::to_chars(out, out + 10, number).ptr;
}

char* put(char* out, std::string_view text) {
    return std::copy(text.begin(), text.end(), out);
}

}  // namespace

LocalText read_local_text_header(std::string_view text) {
    Cursor cursor(text);
    LocalFeaturesHeader header;
    read_header(cursor, header);
    const auto count = static_cast<size_t>(std::ranges::count(text, '('));
    if (count > kMaxLocalFeatures) cursor.fail("too many local features");
    header.count = static_cast<uint32_t>(count);
    return result_of(cursor, header);
}

LocalText read_local_text(std::string_view text, const LocalFeaturesHeader& header,
                          uint8_t* bytes) {
    Cursor cursor(text);
    LocalFeaturesHeader again;
    read_header(cursor, again);
    const LocalFeaturesParts parts = lay_out_local_features(header, bytes);
    const size_t descriptor_bytes = local_descriptor_bytes(header.kind);
    for (uint32_t i = 0; i < header.count && cursor.fault() == nullptr; ++i) {
        if (i > 0) cursor.expect(",", "expected \",\" between features");
        cursor.expect("(", "expected \"(\"");
        LocalPlace place;
        place.x = cursor.number<uint16_t>("expected x, from 0 to 65535");
        cursor.expect(",", "expected \",\" and y");
        place.y = cursor.number<uint16_t>("expected y, from 0 to 65535");
        cursor.expect(",", "expected \",\" and a scale");
        place.scale = cursor.number<uint8_t>("expected a scale, from 0 to 255");
        cursor.expect(",", "expected \",\" and an angle");
        place.angle = cursor.number<uint8_t>("expected an angle, from 0 to 255");
        cursor.expect(",", "expected \",\" and a strength");
        place.strength = cursor.number<uint8_t>("expected a strength, from 0 to 255");
        cursor.expect(",", "expected \",\" and a descriptor");
        cursor.octets(parts.descriptors + i * descriptor_bytes, descriptor_bytes);
        cursor.expect(")", "expected \")\"");
        parts.put(i, place);
    }
    cursor.expect("}", "expected \"}\"");
    cursor.expect_end();
    return result_of(cursor, header);
}

size_t max_local_text_bytes(LocalKind kind, uint32_t count) {
    // Numbers of at most 5, 5, 3, 3 and 3 digits, eight signs, two digits a byte.
    return 64 + count * (27 + 2 * local_descriptor_bytes(kind));
}

size_t format_local_text(const LocalFeatures& features, char* out) {
    constexpr char kDigits[] = "0123456789abcdef";
    const LocalFeaturesHeader& header = features.header;
    char* to = put(out, local_kind_name(header.kind));
    to = put(put(to, "@"), header.version);
    to = put(put(to, " "), header.width);
    to = put(put(to, "x"), header.height);
    to = put(to, header.mirrored != 0 ? " mirrored {" : " {");
    for (uint32_t i = 0; i < header.count; ++i) {
        const LocalPlace place = features.place(i);
        to = put(to, i > 0 ? ",(" : "(");
        for (const uint32_t number : {uint32_t{place.x}, uint32_t{place.y}, uint32_t{place.scale},
                                      uint32_t{place.angle}, uint32_t{place.strength}})
            to = put(put(to, number), ",");
        for (size_t k = 0; k < local_descriptor_bytes(header.kind); ++k) {
            const uint8_t octet = features.descriptor(i)[k];
            *to++ = kDigits[octet >> 4];
            *to++ = kDigits[octet & 15];
        }
        *to++ = ')';
    }
    *to++ = '}';
    return static_cast<size_t>(to - out);
}

}  // namespace lookalike
