// Sets that come as numbers: Fashion-MNIST's pictures and word embeddings.
#pragma once

#include <filesystem>

namespace lookalike {

/// The gzipped IDX files of Fashion-MNIST: 784 grey values a picture. Throws std::runtime_error.
void make_mnist(const std::filesystem::path& folder, const std::filesystem::path& base,
                const std::filesystem::path& queries);

/// wink-embeddings' JSON: {..., "vectors": {"word": [100 numbers and the word's rank], ...}}.
/// Throws std::runtime_error.
void make_words(const std::filesystem::path& folder, const std::filesystem::path& json);

}  // namespace lookalike
