#include "tools/load/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>

namespace lookalike {
namespace {

constexpr size_t kKeptFailures = 1000;
constexpr size_t kBarWidth = 24;
constexpr auto kBarEvery = std::chrono::milliseconds(200);
constexpr auto kLineEvery = std::chrono::seconds(10);

size_t terminal_width() {
    winsize size = {};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

std::string bar(double part) {
    const auto full = static_cast<size_t>(std::lround(part * kBarWidth));
    return "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "] ";
}

}  // namespace

std::string duration_text(double seconds) {
    const auto whole = static_cast<long>(std::lround(seconds));
    const auto two = [](long a, const char* unit_a, long b, const char* unit_b) {
        return std::to_string(a) + " " + unit_a + " " + std::to_string(b) + " " + unit_b;
    };
    if (whole < 60) return std::to_string(whole) + " s";
    if (whole < 3600) return two(whole / 60, "min", whole % 60, "s");
    return two(whole / 3600, "h", whole % 3600 / 60, "min");
}

std::string progress_text(const LoadCounts& counts, size_t total, double seconds, size_t width) {
    const size_t done = counts.done();
    const double part = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
    std::string text = width > 0 ? bar(std::min(part, 1.0)) : "";
    text += std::to_string(done) + " of " + std::to_string(total);
    if (counts.failed > 0) text += ", " + std::to_string(counts.failed) + " failed";
    if (done > 0 && seconds > 0) {
        const double rate = static_cast<double>(done) / seconds;
        text += ", " + std::to_string(std::lround(rate)) + "/s";
        if (done < total)
            text += ", " + duration_text(static_cast<double>(total - done) / rate) + " left";
    }
    if (width > 0 && text.size() >= width) text.resize(width - 1);
    return text;
}

Progress::Progress(size_t total, bool is_terminal) : total_(total), is_terminal_(is_terminal) {}

void Progress::add(size_t LoadCounts::*kind) {
    const std::lock_guard lock(mutex_);
    ++(counts_.*kind);
}

void Progress::fail(FileFailure failure) {
    const std::lock_guard lock(mutex_);
    ++counts_.failed;
    if (failures_.size() < kKeptFailures) failures_.push_back(std::move(failure));
}

LoadCounts Progress::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

double Progress::seconds() const {
    return std::chrono::duration<double>(Clock::now() - begin_).count();
}

std::vector<FileFailure> Progress::failures() const {
    const std::lock_guard lock(mutex_);
    auto sorted = failures_;
    std::ranges::sort(sorted, {}, &FileFailure::path);
    return sorted;
}

void Progress::show() {
    const auto now = Clock::now();
    if (now - shown_ < (is_terminal_ ? Clock::duration(kBarEvery) : Clock::duration(kLineEvery)))
        return;
    shown_ = now;
    const size_t width = is_terminal_ ? terminal_width() : 0;
    const std::string text = progress_text(counts(), total_, seconds(), width);
    has_bar_ = is_terminal_;
    std::cerr << (is_terminal_ ? "\r\x1b[K" : "") << text << (is_terminal_ ? "" : "\n")
              << std::flush;
}

void Progress::clear() {
    if (has_bar_) std::cerr << "\r\x1b[K" << std::flush;
    has_bar_ = false;
}

}  // namespace lookalike
