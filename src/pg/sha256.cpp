#include "pg/sha256.h"

extern "C" {
#include "common/cryptohash.h"
}

namespace lookalike {

void sha256(const HashedPiece* pieces, int piece_count, uint8* digest) {
    pg_cryptohash_ctx* hash = pg_cryptohash_create(PG_SHA256);
    bool done = hash != nullptr && pg_cryptohash_init(hash) >= 0;
    for (int i = 0; done && i < piece_count; ++i)
        done = pg_cryptohash_update(hash, static_cast<const uint8*>(pieces[i].bytes),
                                    pieces[i].byte_count) >= 0;
    done = done && pg_cryptohash_final(hash, digest, kSha256Bytes) >= 0;
    if (hash != nullptr) pg_cryptohash_free(hash);
    if (!done)
        ereport(ERROR,
                (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not compute a SHA-256 hash")));
}

}  // namespace lookalike
