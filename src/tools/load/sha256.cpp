#include "tools/load/sha256.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace lookalike {

std::string sha256(std::string_view bytes) {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned length = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()),
                   &length, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("SHA-256 cannot be computed");
    digest.resize(length);
    return digest;
}

}  // namespace lookalike
