#include "worker/dispatch.h"

#include <exception>
#include <new>

#include "worker/learning.h"
#include "worker/versions.h"

namespace lookalike {
namespace {

void answer(const WorkerRequest& request, Channel& channel, Learning& learning) {
    switch (request.kind) {
        case WorkerKind::kVersions:
            return channel.reply(request, {.status = WorkerStatus::kDone}, library_versions());
        case WorkerKind::kTrain:
            return learning.train(request);
        case WorkerKind::kSetCentroids:
            return learning.set_centroids(request);
        case WorkerKind::kAssign:
            return learning.assign(request);
    }
    throw ProtocolError("a request is of an unknown kind");
}

/// To be called in a catch block: what the exception in flight means to the backend.
WorkerError error_in_flight() {
    try {
        throw;
    } catch (const ProtocolError&) {
        return WorkerError::kProtocol;
    } catch (const InvalidRows&) {
        return WorkerError::kInvalidInput;
    } catch (const std::bad_alloc&) {
        return WorkerError::kMemory;
    } catch (...) {
        return WorkerError::kFailed;
    }
}

}  // namespace

void serve_requests(Channel& channel, const SharedArea& shared) {
    Learning learning(channel, shared);
    WorkerRequest request;
    while (channel.receive(request)) {
        try {
            answer(request, channel, learning);
        } catch (const ConnectionLost&) {
            return;
        } catch (const std::exception& e) {
            channel.reply(request, {.status = WorkerStatus::kError, .error = error_in_flight()},
                          e.what());
        }
    }
}

}  // namespace lookalike
