#include "worker/dispatch.h"

#include <exception>
#include <new>

#include <opencv2/core.hpp>

#include "image/image.h"
#include "worker/images.h"
#include "worker/learning.h"
#include "worker/limits.h"
#include "worker/sandbox.h"
#include "worker/versions.h"

namespace lookalike {
namespace {

void answer(const WorkerRequest& request, Channel& channel, Learning& learning, Images& images) {
    switch (request.kind) {
        case WorkerKind::kVersions:
            return channel.reply(request, {.status = WorkerStatus::kDone}, library_versions());
        case WorkerKind::kTrain:
            return learning.train(request);
        case WorkerKind::kSetCentroids:
            return learning.set_centroids(request);
        case WorkerKind::kAssign:
            return learning.assign(request);
        case WorkerKind::kTrainProjection:
            return learning.train_projection(request);
        case WorkerKind::kTrainCodebook:
            return learning.train_codebook(request);
        case WorkerKind::kImageInfo:
            return images.info(request);
        case WorkerKind::kImageFeatures:
            return images.features(request);
        case WorkerKind::kImageLocalFeatures:
            return images.local_features(request);
        case WorkerKind::kImageDrawMatches:
            return images.draw_matches(request);
        case WorkerKind::kTextFeatures:
            return images.text_features(request);
        case WorkerKind::kImageThumbnail:
            return images.thumbnail(request);
        case WorkerKind::kImageExtractors:
            return images.extractors(request);
        case WorkerKind::kLoadModel:
            return images.load_model(request);
        case WorkerKind::kFindModel:
            return images.find_model(request);
    }
    throw ProtocolError("a request is of an unknown kind");
}

WorkerError error_of(ImageFault fault) {
    switch (fault) {
        case ImageFault::kUnreadable:
            return WorkerError::kImageUnreadable;
        case ImageFault::kUnsupportedFormat:
            return WorkerError::kImageUnsupported;
        case ImageFault::kTooLarge:
            return WorkerError::kImageTooLarge;
        case ImageFault::kOutOfMemory:
            return WorkerError::kImageOutOfMemory;
        case ImageFault::kNeedsMemory:
            return WorkerError::kImageNeedsMemory;
        case ImageFault::kTooSlow:
            return WorkerError::kImageTooSlow;
        case ImageFault::kBadSpec:
            return WorkerError::kBadSpec;
        case ImageFault::kUnknownExtractor:
            return WorkerError::kUnknownExtractor;
        case ImageFault::kModel:
            return WorkerError::kModel;
    }
    return WorkerError::kFailed;
}

/// To be called in a catch block: what the exception in flight means to the backend.
WorkerError error_in_flight() {
    try {
        throw;
    } catch (const ProtocolError&) {
        return WorkerError::kProtocol;
    } catch (const InvalidRows&) {
        return WorkerError::kInvalidInput;
    } catch (const ImageError& e) {
        return error_of(e.fault);
    } catch (const ExtractorSpecError&) {
        return WorkerError::kBadSpec;
    } catch (const ModelMissing&) {
        return WorkerError::kModelMissing;
    } catch (const std::bad_alloc&) {
        return WorkerError::kMemory;
    } catch (const cv::Exception& e) {
        return e.code == cv::Error::StsNoMem ? WorkerError::kMemory : WorkerError::kFailed;
    } catch (...) {
        return WorkerError::kFailed;
    }
}

}  // namespace

void serve_requests(Channel& channel, const SharedArea& shared, uint64_t memory_bytes,
                    ModelStore* preloaded) {
    Learning learning(channel, shared);
    Images images(channel, shared, memory_bytes, preloaded);
    WorkerRequest request;
    while (channel.receive(request)) {
        try {
            answer(request, channel, learning, images);
        } catch (const ConnectionLost&) {
            return;
        } catch (const std::exception& e) {
            channel.reply(request, {.status = WorkerStatus::kError, .error = error_in_flight()},
                          e.what());
        }
    }
}

void serve_backend(uint64_t baseline_bytes, uint64_t budget_bytes, int idle_ms,
                   ModelStore* preloaded) {
    SharedArea shared(kWorkerSharedFd);
    limit_memory(baseline_bytes + shared.size_bytes() + budget_bytes);
    close_descriptors();
    enter_sandbox();
    Channel channel(kWorkerSocketFd, idle_ms);
    try {
        serve_requests(channel, shared, budget_bytes, preloaded);
    } catch (const ConnectionLost&) {
    }
}

}  // namespace lookalike
