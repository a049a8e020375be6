#include "core/text/tokenizer.h"

#include <algorithm>

#include "core/text/clip_tokenizer.h"
#include "core/text/wordpiece_tokenizer.h"

namespace lookalike {

std::unique_ptr<Tokenizer> make_tokenizer(TokenizerKind kind, std::string_view file,
                                          bool lower_case) {
    if (kind == TokenizerKind::kClip) return std::make_unique<ClipTokenizer>(file, lower_case);
    return std::make_unique<WordPieceTokenizer>(file, lower_case);
}

std::vector<std::string_view> tokenizer_lines(std::string_view file) {
    if (file.size() > kMaxTokenizerBytes)
        throw TokenizerError("tokenizer file of " + std::to_string(file.size()) +
                             " bytes is too large, at most " + std::to_string(kMaxTokenizerBytes) +
                             " are allowed");
    if (file.starts_with("\x1f\x8b"))
        throw TokenizerError("tokenizer file is compressed, it has to be unpacked");
    if (std::ranges::count(file, '\n') > static_cast<std::ptrdiff_t>(kMaxTokenizerLines))
        throw TokenizerError("tokenizer file has too many lines, at most " +
                             std::to_string(kMaxTokenizerLines) + " are allowed");
    std::vector<std::string_view> lines;
    while (!file.empty()) {
        const size_t end = std::min(file.find('\n'), file.size());
        std::string_view line = file.substr(0, end);
        file.remove_prefix(std::min(end + 1, file.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        lines.push_back(line);
    }
    return lines;
}

}  // namespace lookalike
