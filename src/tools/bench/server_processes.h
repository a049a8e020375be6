// What Linux tells about a server's processes: memory, processor time.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace lookalike {

/// Processor seconds of a process so far; 0 when /proc does not say.
double processor_seconds(int pid);

/// The same with those children that have ended, in hundredths of a second.
double processor_seconds_of_family(int pid);

/// Watches all processes of a server, a few times a second, and knows the most memory that they had
/// at a time beyond what they had at first: what is theirs alone, and what they share with this
/// extension's worker. Neither shared buffers nor files count.
class PeakMemory {
  public:
    /// Begins. `backend` is the process id of any of the server's backends.
    explicit PeakMemory(int backend);

    uint64_t bytes() const { return peak_ > first_ ? peak_ - first_ : 0; }

  private:
    int postmaster_;
    uint64_t first_;
    std::atomic<uint64_t> peak_;
    std::jthread thread_;  ///< last: it uses the others
};

}  // namespace lookalike
