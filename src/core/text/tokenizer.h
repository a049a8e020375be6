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
#include "core/text/text_options.h"

namespace lookalike {

constexpr size_t kMaxTokenizerBytes = size_t{16} << 20;
constexpr size_t kMaxTokenizerLines = 500'000;

/// A file that is no tokenizer. what() is a primary message in PostgreSQL's style.
class TokenizerError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

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
