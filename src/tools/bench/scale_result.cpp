#include "tools/bench/scale_result.h"

#include "tools/bench/format.h"

namespace lookalike {
namespace {

double megabytes(uint64_t bytes) {
    return static_cast<double>(bytes) / 1e6;
}

std::string search_json(const ScaleSearch& search) {
    return format(R"({"state": %s, "queries": %u, "recall": %.4f, "per_second": %.1f, )",
                  quoted(search.state).c_str(), search.query_count, search.recall,
                  search.per_second) +
           format(R"("p50_ms": %.4f, "p99_ms": %.4f, "processor_ms": %.4f, "blocks": %.2f, )"
                  R"("disk_bytes": %.0f})",
                  search.p50_ms, search.p99_ms, search.processor_ms, search.blocks,
                  search.disk_bytes);
}

std::string point_json(const ScalePoint& point) {
    std::string text =
        format(R"({"rows": %u, "copy_seconds": %.2f, "build_seconds": %.2f, )", point.rows,
               point.copy_seconds, point.build_seconds) +
        format(R"("build_processor_seconds": %.2f, "build_bytes": %llu, "lists": %llu, )",
               point.build_processor_seconds, static_cast<unsigned long long>(point.build_bytes),
               static_cast<unsigned long long>(point.lists)) +
        format(R"("index_bytes": %llu, "table_bytes": %llu, "searches": [)",
               static_cast<unsigned long long>(point.index_bytes),
               static_cast<unsigned long long>(point.table_bytes));
    for (size_t i = 0; i < point.searches.size(); ++i)
        text += (i == 0 ? "\n    " : ",\n    ") + search_json(point.searches[i]);
    return text + "]}";
}

// One that could not be read is negative.
std::string or_dash(double value) {
    return value < 0 ? "-" : format("%.1f", value);
}

}  // namespace

std::string scale_json(const ScaleResult& result) {
    std::string text = "{\"set\": " + quoted(result.set) +
                       ", \"server\": " + quoted(result.server) +
                       ", \"shared_buffers\": " + quoted(result.shared_buffers) +
                       ", \"maintenance_work_mem\": " + quoted(result.maintenance_work_mem);
    text += format(R"(, "dims": %u, "recall_setting": %g, "points": [)", result.dims,
                   result.recall_setting);
    for (size_t i = 0; i < result.points.size(); ++i)
        text += (i == 0 ? "\n  " : ",\n  ") + point_json(result.points[i]);
    return text + "]}\n";
}

std::string scale_tables(const ScaleResult& result) {
    std::string text =
        "| rows | COPY, s | CREATE INDEX, s | its processor, s | peak memory, MB | lists | index, "
        "MB "
        "| bytes a row |\n"
        "|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    for (const ScalePoint& point : result.points) {
        text += format("| %u | %.1f | %.1f | %.1f | %.0f | %llu | %.1f | %.1f |\n", point.rows,
                       point.copy_seconds, point.build_seconds, point.build_processor_seconds,
                       megabytes(point.build_bytes), static_cast<unsigned long long>(point.lists),
                       megabytes(point.index_bytes),
                       static_cast<double>(point.index_bytes) / point.rows);
    }
    text +=
        "\n| rows | server | recall | queries/s | p50, ms | p99, ms | processor, ms a query "
        "| blocks read a query | kB from disk a query |\n"
        "|--:|---|--:|--:|--:|--:|--:|--:|--:|\n";
    for (const ScalePoint& point : result.points) {
        for (const ScaleSearch& search : point.searches) {
            text += format("| %u | %s | %.4f | %.0f | %.3f | %.3f | %.3f | ", point.rows,
                           search.state.c_str(), search.recall, search.per_second, search.p50_ms,
                           search.p99_ms, search.processor_ms);
            text += or_dash(search.blocks) + " | " + or_dash(search.disk_bytes / 1e3) + " |\n";
        }
    }
    return text;
}

}  // namespace lookalike
