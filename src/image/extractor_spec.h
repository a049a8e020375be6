// The mini-language that names extractors: "color", "color:0.6+pattern:0.4", "net:mobilenet@2",
// "vlad:textiles@1".
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lookalike {

/// What a name without a version means. It pins the output of every extractor until 2.0.
constexpr uint32_t kDefaultExtractorVersion = 1;
constexpr size_t kMaxExtractorParts = 16;
constexpr size_t kMaxExtractorName = 63;  ///< bytes, without "net:" and the like

/// One term of a specification.
struct ExtractorPart {
    std::string name;  ///< "color"; of a network or a codebook without what comes before ":"
    /// Where it comes from: "net" for a network; "bow", "vlad" or "fisher" for a codebook; empty
    /// for a built-in one.
    std::string source;
    uint32_t version;      ///< never 0: an omitted one is kDefaultExtractorVersion
    float weight;          ///< above 0; 1 when omitted
    size_t name_position;  ///< byte offset in the text, for messages

    bool is_network() const { return source == "net"; }
    bool is_codebook() const { return !source.empty() && !is_network(); }
    /// "color@1" or "net:mobilenet@2".
    std::string qualified_name() const;
    /// What a network or a codebook is loaded under: "mobilenet@2", "codebook:textiles@1".
    std::string model_key() const;
};

/// Terms in the order in which they were written, which is the order of the dimensions.
struct ExtractorSpec {
    std::vector<ExtractorPart> parts;  ///< at least one
};

/// A specification that does not parse. what() is a primary message in PostgreSQL's style.
class ExtractorSpecError : public std::runtime_error {
  public:
    ExtractorSpecError(const std::string& message, size_t position)
        : std::runtime_error(message), position(position) {}
    size_t position;  ///< byte offset at which the text went wrong
};

/// Reads `part { "+" part }`, part = [source ":"] name ["@" version] [":" weight], with white space
/// around "+" and at both ends. Names are lower-case letters, digits, "_" and "-"; what has a
/// source needs its version; weights are decimal numbers without exponent, above 0 and at most
/// 1000. Whether an extractor of that name exists is not checked. Throws ExtractorSpecError.
ExtractorSpec parse_extractor_spec(std::string_view text);

/// The one text of all spellings with the same meaning, versions written out: "color@1:0.6".
/// Suits cache keys; parses back to an equal specification.
std::string canonical_text(const ExtractorSpec& spec);

}  // namespace lookalike
