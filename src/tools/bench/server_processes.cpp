#include "tools/bench/server_processes.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>

namespace lookalike {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(50);

struct Process {
    std::string name;
    int parent = 0;
    uint64_t own_kb = 0;
    uint64_t shared_kb = 0;
};

Process read_process(int pid) {
    Process process;
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        const size_t colon = line.find(':');
        const size_t value = line.find_first_not_of(" \t", colon + 1);
        if (colon == std::string::npos || value == std::string::npos) continue;
        const std::string key = line.substr(0, colon);
        if (key == "Name") process.name = line.substr(value);
        if (key == "PPid") process.parent = std::stoi(line.substr(value));
        if (key == "RssAnon") process.own_kb = std::stoull(line.substr(value));
        if (key == "RssShmem") process.shared_kb = std::stoull(line.substr(value));
    }
    return process;
}

std::map<int, Process> read_processes() {
    std::map<int, Process> processes;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        int pid = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size())
            processes[pid] = read_process(pid);
    }
    return processes;
}

// Of a process and all below it. Workers do not have the server's shared memory, and what they
// share is one area, which each of them maps.
uint64_t memory_bytes(int postmaster) {
    const auto processes = read_processes();
    const auto is_below = [&](int pid) {
        for (auto at = processes.find(pid); at != processes.end();
             at = processes.find(at->second.parent))
            if (at->first == postmaster) return true;
        return false;
    };
    uint64_t own_kb = 0, shared_kb = 0;
    for (const auto& [pid, process] : processes) {
        if (!is_below(pid)) continue;
        own_kb += process.own_kb;
        if (process.name == "lookalike-worke")  // Linux keeps 15 bytes
            shared_kb = std::max(shared_kb, process.shared_kb);
    }
    return (own_kb + shared_kb) * 1024;
}

}  // namespace

double processor_seconds(int pid) {
    double nanoseconds = 0;
    std::ifstream("/proc/" + std::to_string(pid) + "/schedstat") >> nanoseconds;
    return nanoseconds / 1e9;
}

double processor_seconds_of_family(int pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    // The name may have blanks, and parentheses within its own; times are fields 14 to 17.
    std::string text{std::istreambuf_iterator<char>(stat), {}};
    const size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) return 0;
    std::istringstream fields(text.substr(name_end + 1));
    std::string field;
    for (int number = 3; number < 14; ++number)
        fields >> field;
    double ticks = 0, sum = 0;
    for (int number = 14; number <= 17 && fields >> ticks; ++number)
        sum += ticks;
    return sum / static_cast<double>(sysconf(_SC_CLK_TCK));
}

PeakMemory::PeakMemory(int backend)
    : postmaster_(read_process(backend).parent),
      first_(memory_bytes(postmaster_)),
      peak_(first_),
      thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
              peak_ = std::max<uint64_t>(peak_, memory_bytes(postmaster_));
              std::this_thread::sleep_for(kInterval);
          }
      }) {}

}  // namespace lookalike
