#include "tools/bench/growth_result.h"

#include <algorithm>
#include <cmath>

#include "tools/bench/format.h"

namespace lookalike {
namespace {

// Elements of a list, divided by commas.
template <typename Element, typename ToJson>
std::string joined(const std::vector<Element>& elements, ToJson to_json, const char* between) {
    std::string text;
    for (const Element& element : elements)
        text += (text.empty() ? "" : between) + to_json(element);
    return text;
}

std::string search_json(const GrowthSearch& search) {
    return format(
        R"({"setting": %g, "grown_per_second": %.1f, "fresh_per_second": %.1f, "ratio": %.4f, )"
        R"("grown_recall": %.4f, "fresh_recall": %.4f})",
        search.setting, search.grown_per_second, search.fresh_per_second, search.ratio,
        search.grown_recall, search.fresh_recall);
}

std::string recall_json(const GrowthRecall& recall) {
    return format(R"({"setting": %g, "recall": %.4f})", recall.setting, recall.recall);
}

std::string inserts_json(const GrowthLatencies& inserts) {
    return format(
        R"({"clients": %u, "per_second": %.1f, "p50_ms": %.4f, "p99_ms": %.4f, "p999_ms": %.4f, )"
        R"("max_ms": %.4f})",
        inserts.client_count, inserts.per_second, inserts.p50_ms, inserts.p99_ms, inserts.p999_ms,
        inserts.max_ms);
}

std::string checkpoint_json(const GrowthCheckpoint& point) {
    std::string text = "{\"history\": " + quoted(point.history);
    text += format(R"(, "loaded_rows": %u, "rows": %u, "seconds": %.3f, "vacuum_seconds": %.3f)",
                   point.loaded_rows, point.rows, point.seconds, point.vacuum_seconds);
    text += ", \"grown_lists\": " + std::to_string(point.grown_lists) +
            ", \"fresh_lists\": " + std::to_string(point.fresh_lists) +
            ", \"grown_bytes\": " + std::to_string(point.grown_bytes) +
            ", \"fresh_bytes\": " + std::to_string(point.fresh_bytes);
    text += ",\n     \"searches\": [" + joined(point.searches, search_json, ", ") + "]";
    text += ",\n     \"recalls\": [" + joined(point.recalls, recall_json, ", ") + "]";
    if (point.inserts.client_count > 0)
        text += ",\n     \"inserts\": " + inserts_json(point.inserts);
    return text + "}";
}

std::string load_json(const GrowthLoad& load) {
    return format(
        R"({"rows": %u, "into_index_seconds": %.3f, "copy_seconds": %.3f, "build_seconds": %.3f})",
        load.rows, load.into_index_seconds, load.copy_seconds, load.build_seconds);
}

std::string search_table(const GrowthResult& result) {
    std::string text =
        format("%-22s %9s %6s %9s %9s %6s %7s %7s %9s %9s\n", "history", "rows", "recall",
               "grown q/s", "fresh q/s", "ratio", "found", "fresh", "lists", "fresh");
    for (const GrowthCheckpoint& point : result.checkpoints) {
        for (const GrowthSearch& search : point.searches) {
            text +=
                format("%-22s %9u %6g %9.0f %9.0f %6.3f %7.4f %7.4f %9llu %9llu\n",
                       point.history.c_str(), point.rows, search.setting, search.grown_per_second,
                       search.fresh_per_second, search.ratio, search.grown_recall,
                       search.fresh_recall, static_cast<unsigned long long>(point.grown_lists),
                       static_cast<unsigned long long>(point.fresh_lists));
        }
    }
    return text;
}

std::string recall_table(const GrowthResult& result) {
    std::string text = format("%-22s %9s %9s %9s  %s\n", "history", "rows", "seconds", "MB",
                              "recall, where so much was set");
    for (const GrowthCheckpoint& point : result.checkpoints) {
        text += format("%-22s %9u %9.2f %9.1f ", point.history.c_str(), point.rows,
                       point.seconds + point.vacuum_seconds,
                       static_cast<double>(point.grown_bytes) / 1e6);
        for (const GrowthRecall& recall : point.recalls)
            text += format(" %.4f (%g)", recall.recall, recall.setting);
        text += '\n';
    }
    return text;
}

std::string load_table(const GrowthResult& result) {
    std::string text = format("%9s %19s %9s %14s %6s\n", "rows", "COPY into index, s", "COPY, s",
                              "CREATE INDEX, s", "ratio");
    for (const GrowthLoad& load : result.loads) {
        text += format("%9u %19.2f %9.2f %14.2f %6.2f\n", load.rows, load.into_index_seconds,
                       load.copy_seconds, load.build_seconds,
                       load.into_index_seconds / (load.copy_seconds + load.build_seconds));
    }
    return text;
}

std::string insert_table(const GrowthResult& result) {
    std::string text = format("%9s %7s %9s %9s %9s %9s %9s\n", "up to", "clients", "inserts/s",
                              "p50, ms", "p99, ms", "p99.9, ms", "max, ms");
    for (const GrowthCheckpoint& point : result.checkpoints) {
        const GrowthLatencies& inserts = point.inserts;
        if (inserts.client_count == 0) continue;
        text += format("%9u %7u %9.0f %9.3f %9.3f %9.3f %9.3f\n", point.rows, inserts.client_count,
                       inserts.per_second, inserts.p50_ms, inserts.p99_ms, inserts.p999_ms,
                       inserts.max_ms);
    }
    return text;
}

}  // namespace

GrowthLatencies summarise_inserts(std::vector<double> latencies_ms) {
    if (latencies_ms.empty()) return {};
    std::ranges::sort(latencies_ms);
    // The least that so large a share does not exceed.
    const auto at = [&](double share) {
        const auto rank =
            static_cast<size_t>(std::ceil(share * static_cast<double>(latencies_ms.size())));
        return latencies_ms[std::max<size_t>(rank, 1) - 1];
    };
    return {.client_count = 0,
            .per_second = 0,
            .p50_ms = at(0.5),
            .p99_ms = at(0.99),
            .p999_ms = at(0.999),
            .max_ms = latencies_ms.back()};
}

std::string growth_json(const GrowthResult& result) {
    return "{\"set\": " + quoted(result.set) + ", \"server\": " + quoted(result.server) +
           ", \"dims\": " + std::to_string(result.dims) +
           ", \"queries\": " + std::to_string(result.query_count) + ",\n \"checkpoints\": [\n    " +
           joined(result.checkpoints, checkpoint_json, ",\n    ") + "],\n \"loads\": [\n    " +
           joined(result.loads, load_json, ",\n    ") + "]}\n";
}

std::string growth_tables(const GrowthResult& result) {
    std::string text = search_table(result) + '\n' + recall_table(result);
    if (!result.loads.empty()) text += '\n' + load_table(result);
    const bool has_inserts = std::ranges::any_of(
        result.checkpoints, [](const auto& point) { return point.inserts.client_count > 0; });
    if (has_inserts) text += '\n' + insert_table(result);
    return text;
}

}  // namespace lookalike
