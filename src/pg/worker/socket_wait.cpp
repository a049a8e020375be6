#include "pg/worker/socket_wait.h"

extern "C" {
#include "storage/latch.h"
#include "utils/wait_event.h"
}

namespace lookalike {

void wait_for_socket(int socket, TimestampTz deadline) {
    int wanted = WL_LATCH_SET | WL_SOCKET_READABLE | WL_EXIT_ON_PM_DEATH;
    long timeout_ms = -1;
    if (deadline != kNoDeadline) {
        wanted |= WL_TIMEOUT;
        timeout_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
    }
    const int events = WaitLatchOrSocket(MyLatch, wanted, socket, timeout_ms, PG_WAIT_EXTENSION);
    if (events & WL_LATCH_SET) ResetLatch(MyLatch);
}

}  // namespace lookalike
