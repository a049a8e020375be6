// Settings of the image functions.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// Defines them. REQUIRES: called while the library is loaded, before its prefix is reserved.
void define_image_settings();

uint64 worker_memory_bytes();  ///< what a session's worker may allocate beyond its libraries
int worker_timeout_ms();       ///< for one request
int image_timeout_ms();        ///< processor time, for decoding one image
int worker_idle_ms();          ///< an idle worker ends after this
uint64 max_image_pixels();
uint64 image_cache_bytes();      ///< of the session; 0: it uses no cache at all
uint64 shared_cache_bytes();     ///< of all sessions
int max_workers();               ///< of all sessions together
const char* preload_models();    ///< "name@version, ..."
const char* preload_database();  ///< the database that they are registered in

}  // namespace lookalike
