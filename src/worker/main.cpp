// lookalike-worker: started by a PostgreSQL backend with a socket and a shared area as descriptors
// kWorkerSocketFd and kWorkerSharedFd. Its arguments are its memory budget in bytes and, if wanted,
// the milliseconds without a request after which it ends.

#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "worker/dispatch.h"
#include "worker/images.h"
#include "worker/limits.h"
#include "worker/sandbox.h"

int main(int argc, char** argv) {
    int socket_type = 0;
    socklen_t length = sizeof(socket_type);
    if (argc < 2 || argc > 3 ||
        getsockopt(lookalike::kWorkerSocketFd, SOL_SOCKET, SO_TYPE, &socket_type, &length) != 0) {
        std::fputs("lookalike-worker is started by the lookalike extension, not by hand\n", stderr);
        return 2;
    }
    try {
        lookalike::SharedArea shared(lookalike::kWorkerSharedFd);
        const uint64_t budget_bytes = std::strtoull(argv[1], nullptr, 10);
        lookalike::warm_up_libraries();
        lookalike::warm_up_images();
        lookalike::limit_memory(budget_bytes);
        lookalike::close_descriptors();
        lookalike::enter_sandbox();
        lookalike::Channel channel(lookalike::kWorkerSocketFd, argc > 2 ? std::atoi(argv[2]) : 0);
        // The other half is for decoding and for what a network needs while it runs.
        lookalike::serve_requests(channel, shared, budget_bytes / 2);
    } catch (const lookalike::ConnectionLost&) {
    } catch (const std::exception& e) {
        std::fprintf(stderr, "lookalike-worker: %s\n", e.what());
        return 1;
    }
    return 0;
}
