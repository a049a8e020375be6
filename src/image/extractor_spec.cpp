#include "image/extractor_spec.h"

#include <algorithm>
#include <charconv>

#include "core/no_postgres.h"

namespace lookalike {
namespace {

constexpr std::string_view kSources[] = {"net", "bow", "vlad", "fisher"};
constexpr float kMaxWeight = 1000;

bool is_digit(char letter) {
    return letter >= '0' && letter <= '9';
}

bool is_name_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || is_digit(letter) || letter == '_' || letter == '-';
}

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    ExtractorSpec parse() {
        ExtractorSpec spec;
        do {
            if (spec.parts.size() == kMaxExtractorParts) {
                fail("too many parts, at most " + std::to_string(kMaxExtractorParts) +
                     " are allowed");
            }
            skip_space();
            spec.parts.push_back(parse_part());
            skip_space();
        } while (accept('+'));
        if (position_ < text_.size()) fail("expected \"+\" or the end");
        return spec;
    }

  private:
    [[noreturn]] void fail(const std::string& message) const {
        throw ExtractorSpecError(
            "invalid extractor at position " + std::to_string(position_ + 1) + ": " + message,
            position_);
    }

    void skip_space() {
        while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\t' ||
                                            text_[position_] == '\n' || text_[position_] == '\r')) {
            ++position_;
        }
    }

    bool accept(char letter) {
        if (position_ == text_.size() || text_[position_] != letter) return false;
        ++position_;
        return true;
    }

    std::string_view take(bool (*belongs)(char)) {
        const size_t begin = position_;
        while (position_ < text_.size() && belongs(text_[position_])) {
            ++position_;
        }
        return text_.substr(begin, position_ - begin);
    }

    /// Takes "net:" and the like.
    std::string_view take_source() {
        for (const std::string_view source : kSources) {
            const std::string_view rest = text_.substr(position_);
            if (!rest.starts_with(source) || rest.substr(source.size(), 1) != ":") continue;
            position_ += source.size() + 1;
            return source;
        }
        return {};
    }

    ExtractorPart parse_part() {
        const size_t begin = position_;
        ExtractorPart part{.name = {},
                           .source = std::string(take_source()),
                           .version = kDefaultExtractorVersion,
                           .weight = 1,
                           .name_position = begin};
        part.name = take(is_name_letter);
        if (part.name.empty()) fail("expected a name");
        if (part.name.size() > kMaxExtractorName) {
            position_ = part.name_position;
            fail("name is too long");
        }
        if (accept('@')) {
            part.version = parse_version();
        } else if (!part.source.empty()) {
            fail(std::string("expected \"@\" and the version of the ") +
                 (part.is_network() ? "network" : "codebook"));
        }
        if (accept(':')) part.weight = parse_weight();
        return part;
    }

    uint32_t parse_version() {
        const size_t begin = position_;
        const std::string_view digits = take(is_digit);
        int32_t version = 0;
        const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), version);
        if (result.ec != std::errc{} || version < 1) {
            position_ = begin;
            fail("expected a version, a whole number above 0");
        }
        return static_cast<uint32_t>(version);
    }

    float parse_weight() {
        const size_t begin = position_;
        const std::string_view digits =
            take([](char letter) { return is_digit(letter) || letter == '.'; });
        const char* end = digits.data() + digits.size();
        float weight = 0;
        const auto result = std::from_chars(digits.data(), end, weight, std::chars_format::fixed);
        if (result.ec != std::errc{} || result.ptr != end || !(weight > 0) || weight > kMaxWeight) {
            position_ = begin;
            fail("expected a weight, a number above 0 and at most 1000");
        }
        return weight;
    }

    std::string_view text_;
    size_t position_ = 0;
};

}  // namespace

std::string ExtractorPart::qualified_name() const {
    return (source.empty() ? "" : source + ":") + name + "@" + std::to_string(version);
}

std::string ExtractorPart::model_key() const {
    return (is_codebook() ? "codebook:" : "") + name + "@" + std::to_string(version);
}

ExtractorSpec parse_extractor_spec(std::string_view text) {
    return Parser(text).parse();
}

std::string canonical_text(const ExtractorSpec& spec) {
    std::string text;
    for (const ExtractorPart& part : spec.parts) {
        if (!text.empty()) text += '+';
        text += part.qualified_name();
        if (part.weight == 1) continue;
        char digits[64];
        const auto result =
            std::to_chars(digits, digits + sizeof(digits), part.weight, std::chars_format::fixed);
        text += ':';
        text.append(digits, result.ptr);
    }
    return text;
}

}  // namespace lookalike
