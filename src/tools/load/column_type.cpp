#include "tools/load/column_type.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>

namespace lookalike {
namespace {

template <typename Number>
bool is_number(std::string_view text) {
    Number number = {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

// 007 and 0049 are names of something: as numbers they would lose their zeros.
bool has_leading_zero(std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

bool is_double(std::string_view text) {
    const bool has_letters = text.find_first_of("infINF") != std::string_view::npos;
    return !has_letters && !has_leading_zero(text) && is_number<double>(text);
}

std::optional<int> digits(std::string_view text, size_t at, size_t count) {
    if (text.size() < at + count) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(at, count)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = 10 * value + (c - '0');
    }
    return value;
}

bool is_date(std::string_view text) {
    const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    if (!year || !month || !day || text.size() != 10 || text[4] != '-' || text[7] != '-' ||
        *year < 1)
        return false;
    return std::chrono::year_month_day(std::chrono::year(*year),
                                       std::chrono::month(static_cast<unsigned>(*month)),
                                       std::chrono::day(static_cast<unsigned>(*day)))
        .ok();
}

// What is left behind "hh:mm[:ss[.ffffff]]"; nothing when that is not there.
std::optional<std::string_view> after_time(std::string_view text) {
    const auto hour = digits(text, 0, 2), minute = digits(text, 3, 2);
    if (!hour || !minute || text[2] != ':' || *hour > 23 || *minute > 59) return std::nullopt;
    text.remove_prefix(5);
    if (!text.starts_with(':')) return text;
    const auto second = digits(text, 1, 2);
    if (!second || *second > 59) return std::nullopt;
    text.remove_prefix(3);
    if (!text.starts_with('.')) return text;
    const size_t end = text.find_first_not_of("0123456789", 1);
    if (end == 1 || text.size() == 1) return std::nullopt;
    return end == std::string_view::npos ? std::string_view() : text.substr(end);
}

bool is_zone(std::string_view text) {
    if (text == "Z") return true;
    if (text.empty() || (text[0] != '+' && text[0] != '-')) return false;
    const auto hours = digits(text, 1, 2);
    if (!hours || *hours > 14) return false;
    if (text.size() == 3) return true;
    const size_t minutes_at = text[3] == ':' ? 4 : 3;
    const auto minutes = digits(text, minutes_at, 2);
    return minutes && *minutes < 60 && text.size() == minutes_at + 2;
}

}  // namespace

void ColumnTypeGuess::add(std::string_view value, ValueSource source) {
    is_empty_ = false;
    const bool is_plain = source == ValueSource::kPlain;
    may_be_boolean_ &= is_plain && (value == "true" || value == "false");
    may_be_bigint_ &= is_plain && is_number<int64_t>(value) && !has_leading_zero(value);
    may_be_double_ &= is_plain && is_double(value);
    may_be_jsonb_ &= source == ValueSource::kNested;
    may_be_date_ &= is_date(value);
    const bool has_time =
        value.size() > 11 && (value[10] == ' ' || value[10] == 'T') && is_date(value.substr(0, 10));
    const auto rest = has_time ? after_time(value.substr(11)) : std::nullopt;
    may_be_timestamp_ &= rest && rest->empty();
    may_be_timestamptz_ &= rest && is_zone(*rest);
}

const char* ColumnTypeGuess::type() const {
    if (is_empty_) return "text";
    if (may_be_boolean_) return "boolean";
    if (may_be_bigint_) return "bigint";
    if (may_be_double_) return "double precision";
    if (may_be_date_) return "date";
    if (may_be_timestamp_) return "timestamp";
    if (may_be_timestamptz_) return "timestamp with time zone";
    if (may_be_jsonb_) return "jsonb";
    return "text";
}

}  // namespace lookalike
