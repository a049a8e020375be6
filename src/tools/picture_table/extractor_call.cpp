#include "tools/picture_table/extractor_call.h"

#include <regex>

namespace lookalike {
namespace {

std::string unquoted(const std::string& text, char quote) {
    if (text.size() < 2 || text.front() != quote) return text;
    std::string plain;
    for (size_t i = 1; i + 1 < text.size(); ++i) {
        if (text[i] == quote) ++i;
        plain += text[i];
    }
    return plain;
}

}  // namespace

ExtractorCall extractor_call(const std::string& expression) {
    // As pg_get_expr() writes it, perhaps with a schema and a cast around.
    static const std::regex kCall(
        R"re((?:^|[.(\s])image_(local_)?features(?:_or_null)?\(([A-Za-z_0-9$]+|"(?:[^"]|"")+"))re"
        R"re((?:, ('(?:[^']|'')*')::text)?[,)])re");
    std::smatch match;
    // What a regular expression takes is bounded by the length of the text.
    if (expression.size() > 2000 || !std::regex_search(expression, match, kCall)) return {};
    const std::string fallback = match[1].matched ? "orb" : "color+pattern";
    return {unquoted(match[2], '"'), match[3].matched ? unquoted(match[3], '\'') : fallback};
}

}  // namespace lookalike
