#include "am/upkeep/named_point.h"

#include "pg/server.h"

extern "C" {
#include "access/xlog.h"
#include "storage/latch.h"
#include "utils/wait_event.h"
}

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

namespace lookalike {
namespace {

// How often this process has come to the point that a file is for.
struct Visits {
    char name[64];
    int count;
};
Visits visits;

int count_visit(const char* name) {
    if (strcmp(visits.name, name) != 0) {
        strlcpy(visits.name, name, sizeof visits.name);
        visits.count = 0;
    }
    return ++visits.count;
}

// What went before shall be there after recovery: else the process might as well end earlier.
[[noreturn]] void end_process(const char* file) {
    XLogFlush(XactLastRecEnd);
    unlink(file);
    for (;;)
        kill(getpid(), SIGKILL);
}

void wait_while_there(const char* file) {
    constexpr int kMostLooks = 3000;
    constexpr long kLookAgainMs = 20;
    for (int look = 0; look < kMostLooks && access(file, F_OK) == 0; ++look) {
        CHECK_FOR_INTERRUPTS();
        (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kLookAgainMs,
                        PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
    }
}

}  // namespace

void stop_at_point(const char* name) {
    char file[MAXPGPATH];
    snprintf(file, sizeof file, "%s/%s", stop_folder, name);
    FILE* opened = fopen(file, "r");
    if (opened == nullptr) return;
    char text[32] = "";
    const bool is_read = fgets(text, sizeof text, opened) != nullptr;
    fclose(opened);
    int count;
    if (is_read && sscanf(text, "kill %d", &count) == 1) {
        if (count_visit(name) >= count) end_process(file);
    } else if (is_read) {
        wait_while_there(file);
    }
}

}  // namespace lookalike
