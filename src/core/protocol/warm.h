// What a backend and the warm parent of image workers say to each other: docs/WORKER.md.
//
// A connection carries one request of the backend, with descriptors, and the parent's replies. It
// is the worker's lease: when the backend closes it, the parent ends the worker.
#pragma once

#include <cstdint>
#include <type_traits>

namespace lookalike {

constexpr uint32_t kWarmMagic = 0x504b414c;  // "LAKP"
constexpr uint16_t kWarmVersion = 1;

/// First argument of a worker program that is to be a warm parent; the second is how many bytes of
/// networks it keeps. It finds its listening socket as kWorkerSocketFd.
constexpr char kWarmRole[] = "warm-parent";

enum class WarmKind : uint16_t {
    kFork = 1,     ///< descriptors: the worker's end of a socket pair, the shared area
    kPreload = 2,  ///< descriptor: a sealed file, a WorkerModelConfig followed by ONNX
};

struct WarmRequest {
    uint32_t magic = kWarmMagic;
    uint16_t version = kWarmVersion;
    WarmKind kind = {};
    uint64_t budget_bytes = 0;  ///< memory of the worker, or of the check of a network
    uint64_t ended_worker = 0;  ///< kFork: this one is ended before; 0: none
    uint32_t idle_ms = 0;       ///< kFork: it ends after so long without a request; 0: never
    uint32_t padding = 0;
};

enum class WarmStatus : uint16_t {
    kForked = 1,     ///< kFork: the worker runs
    kEnded = 2,      ///< kFork: the worker has ended
    kPreloaded = 3,  ///< kPreload: workers forked from now on have the network
    kRefused = 4,    ///< kPreload: the text says why
};

struct WarmReply {
    uint32_t magic = kWarmMagic;
    uint16_t version = kWarmVersion;
    WarmStatus status = {};
    uint64_t worker_id = 0;   ///< kForked: never given twice, by this parent or another
    int32_t pid = 0;          ///< kForked
    int32_t wait_status = 0;  ///< kEnded: as waitpid() gives it
    double load_ms = 0;       ///< kPreloaded
    char text[216] = {};      ///< kRefused: ends with a zero
};

static_assert(sizeof(WarmRequest) == 32);
static_assert(sizeof(WarmReply) == 248);
static_assert(std::is_trivially_copyable_v<WarmRequest>);
static_assert(std::is_trivially_copyable_v<WarmReply>);

}  // namespace lookalike
