// Waiting for a socket that is not the client's.
#pragma once

#include "pg/server.h"

extern "C" {
#include "utils/timestamp.h"
}

namespace lookalike {

constexpr TimestampTz kNoDeadline = PG_INT64_MAX;

/// Waits until the socket can be read. Returns early for a signal, at the latest at the deadline.
/// The caller checks for interrupts.
void wait_for_socket(int socket, TimestampTz deadline);

}  // namespace lookalike
