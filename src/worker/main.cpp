// lookalike-worker: started by a PostgreSQL backend with a socket and a shared area as descriptors
// kWorkerSocketFd and kWorkerSharedFd. Its arguments are its memory budget in bytes and, if wanted,
// the milliseconds without a request after which it ends. Or by the server's launcher, to be the
// warm parent of such processes: warm_protocol.h.

#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "core/protocol/warm.h"
#include "worker/dispatch.h"
#include "worker/images.h"
#include "worker/limits.h"
#include "worker/warm_parent.h"

int main(int argc, char** argv) {
    int socket_type = 0;
    socklen_t length = sizeof(socket_type);
    if (argc < 2 || argc > 3 ||
        getsockopt(lookalike::kWorkerSocketFd, SOL_SOCKET, SO_TYPE, &socket_type, &length) != 0) {
        std::fputs("lookalike-worker is started by the lookalike extension, not by hand\n", stderr);
        return 2;
    }
    try {
        if (std::string_view(argv[1]) == lookalike::kWarmRole) {
            lookalike::warm_up_images();
            lookalike::run_warm_parent(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 0);
        }
        lookalike::warm_up_libraries();
        lookalike::warm_up_images();
        lookalike::serve_backend(lookalike::AddressSpace().taken_bytes(),
                                 std::strtoull(argv[1], nullptr, 10),
                                 argc > 2 ? std::atoi(argv[2]) : 0, nullptr);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "lookalike-worker: %s\n", e.what());
        return 1;
    }
    return 0;
}
