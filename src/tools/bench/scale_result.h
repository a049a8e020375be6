// What was measured of one table with a built index: as JSON, and as tables for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lookalike {

/// One client's searches in one state of the server.
struct ScaleSearch {
    std::string state;  ///< "warm", "cold" or what the restart was told
    uint32_t query_count = 0;
    double recall = 0;  ///< of the 10 nearest
    double per_second = 0;
    double p50_ms = 0;
    double p99_ms = 0;
    double processor_ms = 0;  ///< of the server, a query
    double blocks = 0;        ///< read from outside shared buffers, a query; -1 where unknown
    double disk_bytes = 0;    ///< of those from the disk, a query; -1 where unknown
};

struct ScalePoint {
    uint32_t rows = 0;
    double copy_seconds = 0;
    double build_seconds = 0;
    double build_processor_seconds = 0;  ///< of backend and worker
    uint64_t build_bytes = 0;            ///< peak
    uint64_t lists = 0;
    uint64_t index_bytes = 0;
    uint64_t table_bytes = 0;
    std::vector<ScaleSearch> searches = {};
};

struct ScaleResult {
    std::string set;
    std::string server;
    std::string shared_buffers;
    std::string maintenance_work_mem;
    uint32_t dims = 0;
    double recall_setting = 0;
    std::vector<ScalePoint> points;
};

std::string scale_json(const ScaleResult& result);

/// In Markdown.
std::string scale_tables(const ScaleResult& result);

}  // namespace lookalike
