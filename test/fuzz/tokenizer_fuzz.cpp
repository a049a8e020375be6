// Hostile tokenizer files and texts. The first byte chooses a kind, the second how long the file
// is; the text is what follows. The tokens of any text are as many as wanted, and known.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/text/tokenizer.h"

using namespace lookalike;

namespace {

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

// Files that work, so that texts get far whatever the fuzzer makes of its own.
constexpr std::string_view kMerges = "#version: 0.2\nt h\nth e</w>\na n\nan d</w>\n' s</w>\n";
constexpr std::string_view kVocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\nthe\n##s\n'\n";

void check(TokenizerKind kind, std::string_view file, std::string_view text, bool lower_case) {
    try {
        const auto tokenizer = make_tokenizer(kind, file, lower_case);
        for (const uint32_t context : {kMinTokens, 77u}) {
            const Tokens tokens = tokenizer->encode(text.substr(0, kMaxTextBytes), context);
            require(tokens.ids.size() == context, "as many tokens as are wanted");
            require(tokens.length >= 2 && tokens.length <= context, "a start and an end");
            for (const int64_t id : tokens.ids)
                require(id >= 0 && id < tokenizer->vocabulary_size(), "tokens are known");
        }
    } catch (const TokenizerError&) {
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 2) return 0;
    const auto kind = data[0] & 1 ? TokenizerKind::kClip : TokenizerKind::kWordPiece;
    const bool lower_case = data[0] & 2;
    const std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
    const size_t file_bytes = std::min(rest.size(), size_t{data[1]} * 4);
    check(kind, rest.substr(0, file_bytes), rest.substr(file_bytes), lower_case);
    check(TokenizerKind::kClip, kMerges, rest, lower_case);
    check(TokenizerKind::kWordPiece, kVocabulary, rest, lower_case);
    return 0;
}
