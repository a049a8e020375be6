#include "pg/image/settings.h"

extern "C" {
#include "utils/guc.h"
}

namespace lookalike {
namespace {

int memory_mb = 512;
int timeout_ms = 30000;
int idle_s = 300;
int max_pixels = 100 * 1000 * 1000;
int image_ms = 5000;
int cache_kb = 4096;
int shared_cache_kb = 65536;
int workers = 16;
char* preloaded = nullptr;
char* database = nullptr;

}  // namespace

void define_image_settings() {
    DefineCustomIntVariable("lookalike.worker_memory",
                            "Memory that a session's worker process may take beyond its libraries.",
                            "A request that needs more ends with an error.", &memory_mb, 512, 64,
                            1024 * 1024, PGC_SUSET, GUC_UNIT_MB, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("lookalike.worker_timeout",
                            "Time that a worker process may spend on one image request.", nullptr,
                            &timeout_ms, 30000, 1, 24 * 3600 * 1000, PGC_SUSET, GUC_UNIT_MS,
                            nullptr, nullptr, nullptr);
    DefineCustomIntVariable("lookalike.image_timeout",
                            "Processor time that a worker process may spend on decoding one image.",
                            "Images that take longer cannot be used.", &image_ms, 5000, 1,
                            24 * 3600 * 1000, PGC_SUSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("lookalike.worker_idle_timeout",
                            "Time after which an idle worker process of a session ends.", nullptr,
                            &idle_s, 300, 2, 24 * 3600, PGC_USERSET, GUC_UNIT_S, nullptr, nullptr,
                            nullptr);
    DefineCustomIntVariable("lookalike.max_image_pixels",
                            "Images with more pixels are refused before they are decoded.", nullptr,
                            &max_pixels, 100 * 1000 * 1000, 1, PG_INT32_MAX, PGC_SUSET, 0, nullptr,
                            nullptr, nullptr);
    DefineCustomIntVariable("lookalike.image_cache_size",
                            "Memory for descriptors of images that a session has seen before.",
                            "0 turns the cache off.", &cache_kb, 4096, 0, 1024 * 1024, PGC_USERSET,
                            GUC_UNIT_KB, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("lookalike.shared_image_cache_size",
                            "Shared memory for descriptors of images that any session has seen.",
                            "Needs \"lookalike\" in shared_preload_libraries, and is read when the "
                            "server starts. 0 turns the cache off.",
                            &shared_cache_kb, 65536, 0, 16 * 1024 * 1024, PGC_SIGHUP, GUC_UNIT_KB,
                            nullptr, nullptr, nullptr);
    DefineCustomIntVariable("lookalike.max_workers",
                            "Image worker processes of all sessions together.",
                            "Needs \"lookalike\" in shared_preload_libraries.", &workers, 16, 1,
                            PG_UINT16_MAX, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("lookalike.preload_models",
                               "Networks, as name@version, that image workers start with.",
                               "Needs \"lookalike\" in shared_preload_libraries.", &preloaded, "",
                               PGC_SIGHUP, GUC_LIST_INPUT, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("lookalike.preload_database",
                               "Database whose networks lookalike.preload_models names.", nullptr,
                               &database, "", PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
}

uint64 worker_memory_bytes() {
    return static_cast<uint64>(memory_mb) << 20;
}

int worker_timeout_ms() {
    return timeout_ms;
}

int image_timeout_ms() {
    return image_ms;
}

int worker_idle_ms() {
    return idle_s * 1000;
}

uint64 max_image_pixels() {
    return static_cast<uint64>(max_pixels);
}

uint64 shared_cache_bytes() {
    return static_cast<uint64>(shared_cache_kb) << 10;
}

uint64 image_cache_bytes() {
    return static_cast<uint64>(cache_kb) << 10;
}

int max_workers() {
    return workers;
}

const char* preload_models() {
    return preloaded;
}

const char* preload_database() {
    return database;
}

}  // namespace lookalike
