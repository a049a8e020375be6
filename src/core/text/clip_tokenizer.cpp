#include "core/text/clip_tokenizer.h"

#include <algorithm>
#include <bit>
#include <queue>
#include <unordered_map>

#include "core/text/caption.h"
#include "core/text/unicode.h"
#include "core/vector/mixing.h"

namespace lookalike {
namespace {

constexpr uint32_t kBytes = 256;
/// Each byte is a symbol, and another one at the end of a word.
constexpr uint32_t kByteSymbols = 2 * kBytes;
constexpr uint32_t kMaxMerges = 49'408 - kByteSymbols - 2;
constexpr std::string_view kWordEnd = "</w>";
constexpr std::u32string_view kStartText = U"<|startoftext|>";
constexpr std::u32string_view kEndText = U"<|endoftext|>";
constexpr std::u32string_view kContractions[] = {U"'s", U"'t",  U"'re", U"'ve",
                                                 U"'m", U"'ll", U"'d"};

/// Bytes in the order of their symbols: first those that can be seen in Latin-1.
bool is_visible(uint32_t byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

[[noreturn]] void fail(size_t line, const char* what) {
    throw TokenizerError("line " + std::to_string(line) + " of the tokenizer's merges " + what);
}

/// What the symbols of a word are while pairs of them become one.
struct Symbol {
    uint32_t id;
    int previous;  // -1: none
    int next;      // -1: none
    bool is_gone = false;
};

/// A pair that can become one, as it was when it was found.
struct Candidate {
    uint32_t id;
    int left;
    uint32_t left_id;
    uint32_t right_id;

    bool operator<(const Candidate& other) const {
        return id != other.id ? id > other.id : left > other.left;
    }
};

/// Symbols by their text, which lies in one piece.
class SymbolTable {
  public:
    SymbolTable(size_t count, size_t text_bytes) {
        text_.reserve(text_bytes);
        ids_.reserve(count);
    }
    /// REQUIRES: no more bytes than were said.
    void set(std::string_view first, std::string_view second, uint32_t id) {
        const size_t start = text_.size();
        text_.append(first).append(second);
        ids_[std::string_view(text_).substr(start)] = id;
    }
    /// Null for none.
    const uint32_t* find(std::string_view text) const {
        const auto found = ids_.find(text);
        return found == ids_.end() ? nullptr : &found->second;
    }

  private:
    std::string text_;
    std::unordered_map<std::string_view, uint32_t> ids_;
};

size_t run_length(std::u32string_view text, bool (*belongs)(char32_t)) {
    return static_cast<size_t>(std::ranges::find_if_not(text, belongs) - text.begin());
}

bool is_other(char32_t point) {
    return !is_space(point) && !is_letter(point) && !is_number(point);
}

/// REQUIRES: `text` starts with no space.
size_t word_length(std::u32string_view text) {
    for (const std::u32string_view known : {kStartText, kEndText})
        if (text.starts_with(known)) return known.size();
    for (const std::u32string_view contraction : kContractions)
        if (text.starts_with(contraction)) return contraction.size();
    if (is_letter(text[0])) return run_length(text, is_letter);
    return is_number(text[0]) ? 1 : run_length(text, is_other);
}

}  // namespace

ClipTokenizer::ClipTokenizer(std::string_view merges, bool lower_case) : lower_case_(lower_case) {
    read_merges(merges);
}

void ClipTokenizer::read_merges(std::string_view file) {
    std::vector<std::string_view> lines = tokenizer_lines(file);
    const bool has_header = !lines.empty() && lines[0].find("#version") != lines[0].npos;
    size_t first = has_header ? 1 : 0;
    size_t end = std::min(lines.size(), first + kMaxMerges);
    while (end > first && lines[end - 1].empty())
        --end;

    // Each symbol comes from a line or from a byte of at most two, and one more with an end.
    SymbolTable symbols(end - first + kByteSymbols, file.size() + kBytes * 8);
    uint32_t next = 0;
    for (const bool visible : {true, false}) {
        uint32_t stand_in = kBytes;
        for (uint32_t byte = 0; byte < kBytes; ++byte) {
            if (is_visible(byte) != visible) continue;
            byte_ids_[byte] = next;
            std::string text;
            append_utf8(visible ? byte : stand_in++, text);
            symbols.set(text, "", next);
            symbols.set(text, kWordEnd, next + kBytes);
            ++next;
        }
    }
    merges_.resize(std::bit_ceil(2 * (end - first + 1)));
    symbol_count_ = kByteSymbols;
    for (size_t i = first; i < end; ++i, ++symbol_count_) {
        const size_t space = lines[i].find(' ');
        if (space == lines[i].npos || lines[i].find(' ', space + 1) != lines[i].npos)
            fail(i + 1, "does not have two parts");
        const std::string_view left = lines[i].substr(0, space), right = lines[i].substr(space + 1);
        const uint32_t *left_id = symbols.find(left), *right_id = symbols.find(right);
        if (left_id == nullptr || right_id == nullptr)
            fail(i + 1, "joins what is neither a byte nor made by a line before");
        merges_[place_of(*left_id, *right_id)] = {*left_id, *right_id, symbol_count_};
        symbols.set(left, right, symbol_count_);
    }
}

size_t ClipTokenizer::place_of(uint32_t left, uint32_t right) const {
    const size_t mask = merges_.size() - 1;
    size_t place = mixed(uint64_t{left} << 32 | right) & mask;
    while (merges_[place].id != 0 && (merges_[place].left != left || merges_[place].right != right))
        place = (place + 1) & mask;
    return place;
}

uint32_t ClipTokenizer::merge_of(uint32_t left, uint32_t right) const {
    return merges_[place_of(left, right)].id;
}

void ClipTokenizer::append_word(std::string_view word, std::vector<int64_t>& ids) const {
    std::vector<Symbol> symbols;
    const int count = static_cast<int>(word.size());
    for (int i = 0; i < count; ++i) {
        const uint32_t id = byte_ids_[static_cast<unsigned char>(word[i])];
        const bool is_last = i + 1 == count;
        symbols.push_back({is_last ? id + kBytes : id, i - 1, is_last ? -1 : i + 1});
    }
    std::priority_queue<Candidate> candidates;
    const auto consider = [&](int left) {
        const int right = left < 0 ? -1 : symbols[left].next;
        if (right < 0) return;
        const uint32_t left_id = symbols[left].id, right_id = symbols[right].id;
        if (const uint32_t id = merge_of(left_id, right_id))
            candidates.push({id, left, left_id, right_id});
    };
    for (int i = 0; i < count; ++i)
        consider(i);
    while (!candidates.empty()) {
        const Candidate best = candidates.top();
        candidates.pop();
        Symbol& left = symbols[best.left];
        if (left.is_gone || left.id != best.left_id || left.next < 0) continue;
        Symbol& right = symbols[left.next];
        if (right.id != best.right_id) continue;
        left.id = best.id;
        right.is_gone = true;
        left.next = right.next;
        if (right.next >= 0) symbols[right.next].previous = best.left;
        consider(left.previous);
        consider(best.left);
    }
    for (int i = count > 0 ? 0 : -1; i >= 0; i = symbols[i].next)
        ids.push_back(symbols[i].id);
}

Tokens ClipTokenizer::encode(std::string_view text, uint32_t context) const {
    std::u32string caption = clean_caption(text);
    if (lower_case_) caption = lookalike::lower_case(caption);
    Tokens tokens{{start_id()}, 0};
    for (const std::string& word : split_caption(caption)) {
        if (word == encode_utf8(kStartText))
            tokens.ids.push_back(start_id());
        else if (word == encode_utf8(kEndText))
            tokens.ids.push_back(end_id());
        else
            append_word(word, tokens.ids);
        if (tokens.ids.size() >= context) break;
    }
    if (tokens.ids.size() >= context) tokens.ids.resize(context - 1);
    tokens.ids.push_back(end_id());
    tokens.length = static_cast<uint32_t>(tokens.ids.size());
    tokens.ids.resize(context, 0);
    return tokens;
}

std::vector<std::string> split_caption(std::u32string_view caption) {
    std::vector<std::string> words;
    while (!caption.empty()) {
        size_t length = 1;
        if (!is_space(caption[0])) {
            length = word_length(caption);
            words.push_back(encode_utf8(caption.substr(0, length)));
        }
        caption.remove_prefix(length);
    }
    return words;
}

}  // namespace lookalike
