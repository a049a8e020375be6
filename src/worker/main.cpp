// lookalike-worker: started by a PostgreSQL backend with a socket and a shared area as descriptors
// kWorkerSocketFd and kWorkerSharedFd. Its one argument is its memory budget in bytes.

#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "worker/dispatch.h"
#include "worker/limits.h"

int main(int argc, char** argv) {
    int socket_type = 0;
    socklen_t length = sizeof(socket_type);
    if (argc != 2 ||
        getsockopt(lookalike::kWorkerSocketFd, SOL_SOCKET, SO_TYPE, &socket_type, &length) != 0) {
        std::fputs("lookalike-worker is started by the lookalike extension, not by hand\n", stderr);
        return 2;
    }
    try {
        lookalike::SharedArea shared(lookalike::kWorkerSharedFd);
        lookalike::warm_up_libraries();
        lookalike::limit_memory(std::strtoull(argv[1], nullptr, 10));
        lookalike::Channel channel(lookalike::kWorkerSocketFd);
        lookalike::serve_requests(channel, shared);
    } catch (const lookalike::ConnectionLost&) {
    } catch (const std::exception& e) {
        std::fprintf(stderr, "lookalike-worker: %s\n", e.what());
        return 1;
    }
    return 0;
}
