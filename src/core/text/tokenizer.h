// Text to the numbers that a text network reads. Files and texts come from strangers: whatever they
// hold, memory and time are bounded by their length, which is limited.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/no_postgres.h"

namespace lookalike {

constexpr size_t kMaxTokenizerBytes = size_t{16} << 20;
constexpr size_t kMaxTokenizerLines = 500'000;
constexpr size_t kMaxTextBytes = 65'536;
constexpr uint32_t kMinTokens = 4;  ///< that a network reads at a time: a start, an end, and some
constexpr uint32_t kMaxTokens = 4096;  ///< the same

/// A file that is no tokenizer. what() is a primary message in PostgreSQL's style.
class TokenizerError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Numbers are never reused.
enum class TokenizerKind : uint32_t {
    kClip = 1,       ///< byte-pair encoding, the file has its merges
    kWordPiece = 2,  ///< of BERT, the file has its vocabulary
};

constexpr bool is_tokenizer_kind(uint32_t number) {
    return number == static_cast<uint32_t>(TokenizerKind::kClip) ||
           number == static_cast<uint32_t>(TokenizerKind::kWordPiece);
}

struct Tokens {
    std::vector<int64_t> ids;  ///< as many as the network reads; padding follows the end
    uint32_t length;           ///< without the padding; the last of them is the end token
};

class Tokenizer {
  public:
    virtual ~Tokenizer() = default;
    /// Text that is too long for `context` is cut before the end token. REQUIRES: `context` is
    /// kMinTokens to kMaxTokens, `text` has at most kMaxTextBytes.
    virtual Tokens encode(std::string_view text, uint32_t context) const = 0;
    virtual uint32_t vocabulary_size() const = 0;  ///< ids are below
    virtual uint64_t memory_bytes() const = 0;     ///< an estimate
};

/// Throws TokenizerError.
std::unique_ptr<Tokenizer> make_tokenizer(TokenizerKind kind, std::string_view file,
                                          bool lower_case);

/// Lines of a file, without their ends. Throws TokenizerError for too many bytes or lines, and for
/// a file that is compressed.
std::vector<std::string_view> tokenizer_lines(std::string_view file);

}  // namespace lookalike
