// BERT's WordPiece: words are cut into the longest pieces that the vocabulary has.
#pragma once

#include <unordered_map>

#include "core/text/tokenizer.h"

namespace lookalike {

class WordPieceTokenizer : public Tokenizer {
  public:
    /// `vocabulary` has a token on each line, whose number is that of the line, from 0; [PAD],
    /// [UNK], [CLS] and [SEP] are among them. `lower_case` also takes accents away. Throws
    /// TokenizerError.
    WordPieceTokenizer(std::string_view vocabulary, bool lower_case);

    Tokens encode(std::string_view text, uint32_t context) const override;
    uint32_t vocabulary_size() const override { return token_count_; }
    uint64_t memory_bytes() const override { return 96 * (ids_.size() + 1); }

  private:
    int64_t id_of(const char* token) const;
    void append_word(std::string_view word, std::vector<int64_t>& ids) const;

    bool lower_case_;
    uint32_t token_count_ = 0;
    std::unordered_map<std::string, int64_t> ids_;
    int64_t padding_id_, unknown_id_, start_id_, end_id_;
};

/// Words, punctuation marks and signs of Chinese and Japanese, each by itself, in UTF-8.
std::vector<std::string> split_words(std::string_view text, bool lower_case);

}  // namespace lookalike
