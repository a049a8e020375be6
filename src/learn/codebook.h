// Learning of a codebook from the local features of pictures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/codebook/codebook.h"

#include "core/no_postgres.h"

namespace lookalike {

struct CodebookOptions {
    CodebookAim aim = CodebookAim::kVlad;
    LocalKind kind = LocalKind::kSift;
    uint32_t max_features = 1;   ///< of a picture that is described later
    uint32_t word_count = 64;    ///< wanted; as many as features differ at most
    uint32_t dims = 0;           ///< wanted of descriptors; 0: the sums of words as they are
    bool whiten = false;         ///< with dims
    uint64_t most_features = 1;  ///< that words are learned from
    uint32_t most_pictures = 1;  ///< that components are learned from
    /// Called after every step with the steps finished and the steps in all. May throw to stop.
    std::function<void(size_t step, size_t step_count)> progress = nullptr;
};

/// The bytes of a codebook, as core/codebook/codebook.h describes them. Its dims are fewer than
/// wanted where the pictures do not hold so many. Equal pictures in an equal order, options and
/// thread count give equal bytes. Throws InvalidRows, NoEigenvectors, std::bad_alloc or FAISS's
/// exception. REQUIRES: at least one feature; all of options.kind.
std::vector<std::byte> learn_codebook(std::span<const LocalFeatures> pictures,
                                      const CodebookOptions& options);

}  // namespace lookalike
