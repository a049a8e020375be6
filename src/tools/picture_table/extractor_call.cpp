#include "tools/picture_table/extractor_call.h"

#include <algorithm>
#include <string_view>

namespace lookalike {
namespace {

bool take(std::string_view& rest, std::string_view text) {
    if (!rest.starts_with(text)) return false;
    rest.remove_prefix(text.size());
    return true;
}

/// What stands in quotes at the front, without them; of a doubled quote one is meant. False:
/// nothing does.
bool take_quoted(std::string_view& rest, char quote, std::string& plain) {
    if (rest.empty() || rest.front() != quote) return false;
    for (size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == quote && (i + 1 == rest.size() || rest[i + 1] != quote)) {
            rest.remove_prefix(i + 1);
            return !plain.empty();
        }
        plain += rest[i];
        if (rest[i] == quote) ++i;
    }
    return false;
}

bool is_of_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
}

bool take_name(std::string_view& rest, std::string& name) {
    if (take_quoted(rest, '"', name)) return true;
    const auto end = std::ranges::find_if_not(rest, is_of_name);
    name.assign(rest.begin(), end);
    rest.remove_prefix(name.size());
    return !name.empty();
}

/// Of a call whose name is before `rest`. The extractor stays empty where it is not named.
bool take_arguments(std::string_view rest, ExtractorCall& call) {
    if (!take(rest, "(") || !take_name(rest, call.photo)) return false;
    if (take(rest, ", ") && (!take_quoted(rest, '\'', call.extractor) || !take(rest, "::text")))
        return false;
    return rest.starts_with(',') || rest.starts_with(')');
}

}  // namespace

// As pg_get_expr() writes it, perhaps with a schema and a cast around.
ExtractorCall extractor_call(const std::string& expression) {
    constexpr std::string_view kName = "image_";
    for (size_t at = expression.find(kName); at != std::string::npos;
         at = expression.find(kName, at + 1)) {
        if (at > 0 && std::string_view(".( \n").find(expression[at - 1]) == std::string_view::npos)
            continue;
        std::string_view rest = std::string_view(expression).substr(at + kName.size());
        const bool is_local = take(rest, "local_");
        if (!take(rest, "features")) continue;
        take(rest, "_or_null");
        ExtractorCall call;
        if (!take_arguments(rest, call)) continue;
        if (call.extractor.empty()) call.extractor = is_local ? "orb" : "color+pattern";
        return call;
    }
    return {};
}

}  // namespace lookalike
