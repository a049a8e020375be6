#include "worker/channel.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace lookalike {

SharedArea::SharedArea(int fd) {
    // Not fstat(), which the C library makes of a system call that takes paths: a warm parent's
    // children may not call it.
    const off_t size = lseek(fd, 0, SEEK_END);
    if (size < 0) throw std::system_error(errno, std::generic_category(), "the shared area");
    size_bytes_ = static_cast<uint64_t>(size);
    void* address = mmap(nullptr, size_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED)
        throw std::system_error(errno, std::generic_category(), "mapping the shared area");
    start_ = static_cast<char*>(address);
}

SharedArea::~SharedArea() {
    munmap(start_, size_bytes_);
}

bool Channel::receive(WorkerRequest& request) {
    for (;;) {
        pollfd socket = {.fd = socket_, .events = POLLIN, .revents = 0};
        const int ready = poll(&socket, 1, idle_ms_ > 0 ? idle_ms_ : -1);
        if (ready == 0) return false;
        request = {};
        // MSG_TRUNC returns the true length of a datagram that is too long.
        const ssize_t length = recv(socket_, &request, sizeof(request), MSG_TRUNC);
        if (length < 0 && errno == EINTR) continue;
        if (length <= 0) return false;
        const char* fault = nullptr;
        if (length != static_cast<ssize_t>(sizeof(request)))
            fault = "a request has a wrong length";
        else if (request.magic != kWorkerMagic)
            fault = "a request does not start with the magic number";
        else if (request.version != kWorkerVersion)
            fault = "a request is of another protocol version";
        if (!fault) return true;
        reply(request, {.status = WorkerStatus::kError, .error = WorkerError::kProtocol}, fault);
    }
}

void Channel::reply(const WorkerRequest& request, WorkerReply reply, std::string_view text) {
    text = text.substr(0, kWorkerTextBytes);
    reply.kind = request.kind;
    reply.request_id = request.request_id;
    reply.text_bytes = static_cast<uint32_t>(text.size());
    iovec parts[2] = {{&reply, sizeof(reply)}, {const_cast<char*>(text.data()), text.size()}};
    msghdr message = {};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    while (sendmsg(socket_, &message, MSG_NOSIGNAL) < 0)
        if (errno != EINTR) throw ConnectionLost("the backend has closed the connection");
}

}  // namespace lookalike
