// Image requests as a backend that has lost its mind would send them: the first bytes are the
// request, the rest is what the shared area holds. Whatever comes, the worker refuses or answers.
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <iterator>

#include "image/image.h"
#include "worker/images.h"

namespace {

using namespace lookalike;

constexpr size_t kSharedBytes = 256 << 10;
/// Small, so that an image is decoded in no time.
constexpr uint64_t kMaxPixels = 64 * 64;
constexpr uint64_t kModelBytes = 16 << 20;

struct Ends {
    Ends() {
        shared_fd = memfd_create("fuzz", 0);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets) != 0 ||
            ftruncate(shared_fd, kSharedBytes) != 0)
            std::abort();
        bytes = static_cast<uint8_t*>(
            mmap(nullptr, kSharedBytes, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0));
    }
    int sockets[2];
    int shared_fd;
    uint8_t* bytes;
};

void ask(Images& images, const WorkerRequest& request) {
    switch (request.kind) {
        case WorkerKind::kImageInfo:
            return images.info(request);
        case WorkerKind::kImageFeatures:
            return images.features(request);
        case WorkerKind::kImageThumbnail:
            return images.thumbnail(request);
        case WorkerKind::kImageExtractors:
            return images.extractors(request);
        case WorkerKind::kImageLocalFeatures:
            return images.local_features(request);
        case WorkerKind::kImageDrawMatches:
            return images.draw_matches(request);
        case WorkerKind::kTextFeatures:
            return images.text_features(request);
        default:
            return;
    }
}

/// Not networks, which a library's own parser reads.
constexpr WorkerKind kKinds[] = {WorkerKind::kImageInfo,          WorkerKind::kImageFeatures,
                                 WorkerKind::kImageThumbnail,     WorkerKind::kImageExtractors,
                                 WorkerKind::kImageLocalFeatures, WorkerKind::kImageDrawMatches};

/// True when the last of the replies that wait says that all is done.
bool is_done(int socket) {
    uint8_t bytes[sizeof(WorkerReply) + kWorkerTextBytes];
    bool done = false;
    for (;;) {
        const ssize_t length = recv(socket, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (length < 0) return done;
        WorkerReply reply;
        if (done || length < static_cast<ssize_t>(sizeof(reply))) std::abort();
        std::memcpy(&reply, bytes, sizeof(reply));
        done = reply.status == WorkerStatus::kDone;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static Ends ends;
    static SharedArea shared(ends.shared_fd);
    static Channel channel(ends.sockets[1], 0);
    static Images images(channel, shared, kModelBytes);

    WorkerRequest request;
    if (size < sizeof(request) || size - sizeof(request) > kSharedBytes) return -1;
    std::memcpy(&request, data, sizeof(request));
    // Few of the 65,536 kinds mean something.
    const auto kind = static_cast<uint16_t>(request.kind);
    request.kind = kind >= 0x8000 ? WorkerKind::kTextFeatures : kKinds[kind % std::size(kKinds)];
    request.image.max_pixels = kMaxPixels;
    std::memset(ends.bytes, 0, kSharedBytes);
    std::memcpy(ends.bytes, data + sizeof(request), size - sizeof(request));
    bool answered = true;
    try {
        ask(images, request);
    } catch (const std::exception&) {
        answered = false;
    }
    // Either an exception or a final reply; progress may come before both.
    if (answered != is_done(ends.sockets[0])) std::abort();
    return 0;
}
