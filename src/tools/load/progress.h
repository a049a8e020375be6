// How far a load has come: a bar on a terminal, now and then a line elsewhere.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "tools/load/picture_files.h"

namespace lookalike {

struct LoadCounts {
    size_t added = 0;
    size_t changed = 0;
    size_t unchanged = 0;
    size_t failed = 0;

    size_t done() const { return added + changed + unchanged + failed; }
};

/// "3 min 20 s"
std::string duration_text(double seconds);

/// One line without its end. `width` 0: no bar.
std::string progress_text(const LoadCounts& counts, size_t total, double seconds, size_t width);

class Progress {
  public:
    Progress(size_t total, bool is_terminal);

    void add(size_t LoadCounts::*kind);
    void fail(FileFailure failure);

    LoadCounts counts() const;
    double seconds() const;
    /// By path; those beyond a number that nobody reads are counted only.
    std::vector<FileFailure> failures() const;

    /// Shows what there is to show now; called often, by one thread.
    void show();
    /// Takes the bar away.
    void clear();

  private:
    using Clock = std::chrono::steady_clock;

    const size_t total_;
    const bool is_terminal_;
    const Clock::time_point begin_ = Clock::now();
    Clock::time_point shown_ = begin_;
    bool has_bar_ = false;
    mutable std::mutex mutex_;
    LoadCounts counts_;
    std::vector<FileFailure> failures_;
};

}  // namespace lookalike
