// SHA-256 of several pieces, as if they were one.
#pragma once

#include "pg/server.h"

namespace lookalike {

constexpr int kSha256Bytes = 32;

struct HashedPiece {
    const void* bytes;
    size_t byte_count;
};

/// May ereport.
void sha256(const HashedPiece* pieces, int piece_count, uint8* digest);

}  // namespace lookalike
