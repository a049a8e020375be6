#include "tools/interrupt.h"

#include <atomic>
#include <csignal>

namespace lookalike {
namespace {

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void interrupt(int) {
    interrupted = true;
}

}  // namespace

void watch_interrupts() {
    struct sigaction action = {};
    action.sa_handler = interrupt;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    for (const int number : {SIGINT, SIGTERM})
        sigaction(number, &action, nullptr);
}

bool is_interrupted() {
    return interrupted;
}

}  // namespace lookalike
