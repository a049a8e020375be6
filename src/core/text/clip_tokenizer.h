// CLIP's byte-pair encoding: words become bytes, and pairs of symbols that often stand beside each
// other become one symbol, in the order in which the file has them.
#pragma once

#include <array>

#include "core/text/tokenizer.h"

namespace lookalike {

class ClipTokenizer : public Tokenizer {
  public:
    /// `merges` has a line for each: two symbols with a space between them, of which every one is a
    /// byte or comes from a line before. A first line with "#version" is none. Lines beyond those
    /// that CLIP uses are not read. Throws TokenizerError.
    ClipTokenizer(std::string_view merges, bool lower_case);

    Tokens encode(std::string_view text, uint32_t context) const override;
    uint32_t vocabulary_size() const override { return start_id() + 2; }
    uint64_t memory_bytes() const override { return sizeof(Merge) * merges_.size(); }

  private:
    /// Two symbols that become one. What comes earlier in the file has a lower id and goes first.
    struct Merge {
        uint32_t left;
        uint32_t right;
        uint32_t id;  ///< 0: none, a byte has this number
    };

    uint32_t start_id() const { return symbol_count_; }
    uint32_t end_id() const { return symbol_count_ + 1; }
    void read_merges(std::string_view file);
    size_t place_of(uint32_t left, uint32_t right) const;
    uint32_t merge_of(uint32_t left, uint32_t right) const;
    void append_word(std::string_view word, std::vector<int64_t>& ids) const;

    bool lower_case_;
    uint32_t symbol_count_ = 0;
    std::array<uint32_t, 256> byte_ids_;
    /// Hashed by both symbols, a power of two at most half full: it is made anew in each worker.
    std::vector<Merge> merges_;
};

/// The words of a caption, in UTF-8: contractions ('s), letters, single digits, other characters,
/// and the two tokens that are written as text.
std::vector<std::string> split_caption(std::u32string_view caption);

}  // namespace lookalike
