// Codebooks that the database has, as this session keeps them.
#pragma once

#include "core/codebook/codebook.h"
#include "pg/server.h"

namespace lookalike {

/// The codebook "name@version". Valid until the next call. Raises ERRCODE_UNDEFINED_OBJECT when it
/// is not registered.
const CodebookView& registered_codebook(const char* key, size_t key_bytes);

}  // namespace lookalike
