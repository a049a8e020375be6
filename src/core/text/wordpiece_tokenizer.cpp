#include "core/text/wordpiece_tokenizer.h"

#include <algorithm>

#include "core/text/unicode.h"

namespace lookalike {
namespace {

/// A longer word is an unknown one.
constexpr size_t kMaxWordLetters = 100;
constexpr std::string_view kContinued = "##";

struct Range {
    char32_t first;
    char32_t last;
};
constexpr Range kIdeographs[] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF},
                                 {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF},
                                 {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};

bool is_ideograph(char32_t point) {
    return std::ranges::any_of(kIdeographs, [point](const Range& range) {
        return point >= range.first && point <= range.last;
    });
}

/// In ASCII all that is no letter, digit or space, such as $ and +.
bool is_mark_by_itself(char32_t point) {
    const bool is_ascii_mark = (point >= 33 && point <= 47) || (point >= 58 && point <= 64) ||
                               (point >= 91 && point <= 96) || (point >= 123 && point <= 126);
    return is_ascii_mark || is_punctuation(point) || is_ideograph(point);
}

bool is_blank(char32_t point) {
    return point == '\t' || point == '\n' || point == '\r' || is_space(point);
}

bool is_dropped(char32_t point) {
    return point == 0 || point == 0xFFFD || (is_control(point) && !is_blank(point));
}

/// Where the letter that is on its way at `end` begins.
size_t letter_start(std::string_view text, size_t end) {
    while (end > 0 && (text[end] & 0xC0) == 0x80)
        --end;
    return end;
}

}  // namespace

WordPieceTokenizer::WordPieceTokenizer(std::string_view vocabulary, bool lower_case)
    : lower_case_(lower_case) {
    for (const std::string_view token : tokenizer_lines(vocabulary))
        ids_[std::string(token)] = token_count_++;
    padding_id_ = id_of("[PAD]");
    unknown_id_ = id_of("[UNK]");
    start_id_ = id_of("[CLS]");
    end_id_ = id_of("[SEP]");
}

int64_t WordPieceTokenizer::id_of(const char* token) const {
    const auto found = ids_.find(token);
    if (found == ids_.end())
        throw TokenizerError("tokenizer's vocabulary has no \"" + std::string(token) + "\"");
    return found->second;
}

void WordPieceTokenizer::append_word(std::string_view word, std::vector<int64_t>& ids) const {
    const size_t known = ids.size();
    const auto begins_letter = [](char byte) { return (byte & 0xC0) != 0x80; };
    if (std::ranges::count_if(word, begins_letter) > static_cast<int>(kMaxWordLetters)) {
        ids.push_back(unknown_id_);
        return;
    }
    for (size_t start = 0; start < word.size();) {
        const std::string prefix(start > 0 ? kContinued : "");
        size_t end = word.size();
        auto found = ids_.end();
        while (end > start) {
            found = ids_.find(prefix + std::string(word.substr(start, end - start)));
            if (found != ids_.end()) break;
            end = letter_start(word, end - 1);
        }
        if (found == ids_.end()) {
            ids.resize(known);
            ids.push_back(unknown_id_);
            return;
        }
        ids.push_back(found->second);
        start = end;
    }
}

Tokens WordPieceTokenizer::encode(std::string_view text, uint32_t context) const {
    Tokens tokens{{start_id_}, 0};
    for (const std::string& word : split_words(text, lower_case_)) {
        append_word(word, tokens.ids);
        if (tokens.ids.size() >= context) break;
    }
    if (tokens.ids.size() >= context) tokens.ids.resize(context - 1);
    tokens.ids.push_back(end_id_);
    tokens.length = static_cast<uint32_t>(tokens.ids.size());
    tokens.ids.resize(context, padding_id_);
    return tokens;
}

std::vector<std::string> split_words(std::string_view text, bool lower_case) {
    std::u32string points = decode_utf8(text);
    std::erase_if(points, is_dropped);
    if (lower_case) points = without_marks(lookalike::lower_case(points));
    std::vector<std::string> words;
    bool continues = false;
    for (const char32_t point : points) {
        const bool stands_alone = is_mark_by_itself(point);
        if (is_blank(point)) {
            continues = false;
            continue;
        }
        if (!continues || stands_alone) words.emplace_back();
        append_utf8(point, words.back());
        continues = !stands_alone;
    }
    return words;
}

}  // namespace lookalike
