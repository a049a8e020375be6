// The worker's end of the socket and of the shared area.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string_view>

#include "core/no_postgres.h"
#include "core/protocol/worker.h"

namespace lookalike {

/// A request that no sane backend sends. It is refused; the worker goes on.
class ProtocolError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The backend is gone: nobody is left to answer.
class ConnectionLost : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Maps the shared area for as long as it lives.
class SharedArea {
  public:
    /// Takes any descriptor that can be mapped, and its size. Throws std::system_error.
    explicit SharedArea(int fd);
    ~SharedArea();
    SharedArea(const SharedArea&) = delete;
    SharedArea& operator=(const SharedArea&) = delete;

    uint64_t size_bytes() const { return size_bytes_; }

    /// item_count x width items of type T. Throws ProtocolError when they do not all lie inside.
    template <typename T>
    std::span<T> items(uint64_t offset, uint64_t item_count, uint64_t width = 1) const {
        if (width == 0 || width > kWorkerMaxDims ||
            !lies_in_shared_area(size_bytes_, offset, item_count, width * sizeof(T)))
            throw ProtocolError("a range lies outside of the shared area");
        return {reinterpret_cast<T*>(start_ + offset), item_count * width};
    }

  private:
    char* start_;
    uint64_t size_bytes_;
};

class Channel {
  public:
    /// idle_ms: how long to wait for a request; 0 for ever.
    Channel(int socket, int idle_ms) : socket_(socket), idle_ms_(idle_ms) {}

    /// Waits for a request and copies it. False when the backend has closed its end or has asked
    /// for nothing for too long. A datagram of
    /// a wrong length, magic or version is answered here and not returned.
    bool receive(WorkerRequest& request);

    /// Sends a reply to `request`; header fields that repeat the request are filled in, the text is
    /// cut to kWorkerTextBytes. Throws ConnectionLost.
    void reply(const WorkerRequest& request, WorkerReply reply, std::string_view text = {});

  private:
    int socket_;
    int idle_ms_;
};

}  // namespace lookalike
