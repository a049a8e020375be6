#include "tools/bench/report.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <pqxx/pqxx>
#include <set>
#include <stdexcept>

#include "core/vector/distance_kernels.h"
#include "tools/bench/filter_plot.h"
#include "tools/bench/filter_report.h"
#include "tools/bench/plot.h"
#include "tools/bench/result.h"

namespace lookalike {
namespace {

struct Place {
    const char* begin;
    const char* end;
};
constexpr Place kSetPlace = {"<!-- results -->\n", "<!-- end of results -->\n"};
constexpr Place kFilterPlace = {"<!-- filter results -->\n", "<!-- end of filter results -->\n"};
constexpr double kRecalls[] = {0.96, 0.985};

std::string number(double value, int digits = 0) {
    char text[64];
    std::snprintf(text, sizeof(text), "%.*f", digits, value);
    return text;
}

std::string or_dash(double value, int digits = 0) {
    return value > 0 ? number(value, digits) : "-";
}

std::string line_after(const char* file, const std::string& key) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(key)) return line.substr(line.find(':') + 2);
    }
    return "unknown";
}

std::string machine() {
    constexpr double kPage = 4096;
    std::string text = line_after("/proc/cpuinfo", "model name") + ", " +
                       std::to_string(sysconf(_SC_NPROCESSORS_ONLN)) + " cores, " +
                       number(static_cast<double>(sysconf(_SC_PHYS_PAGES)) * kPage / (1 << 30)) +
                       " GB; kernels of this library on " + simd_target_name() + ".";
    pqxx::connection connection;
    pqxx::nontransaction work(connection);
    text += " PostgreSQL " + work.exec("SHOW server_version").at(0).at(0).as<std::string>();
    for (const char* setting : {"shared_buffers", "fsync", "max_parallel_maintenance_workers"}) {
        text += std::string(", ") + setting + " " +
                work.exec(std::string("SHOW ") + setting).at(0).at(0).as<std::string>();
    }
    return text + ".\n\n";
}

std::string speed_cells(const BenchResult& result, uint32_t clients, double recall, bool latency) {
    const auto point = at_recall(result, clients, recall);
    if (!point) return latency ? " not reached | - | - |" : " - |";
    // The least setting stands in when even that finds more than was asked for.
    const std::string note = point->recall > recall ? " (at " + number(point->recall, 3) + ")" : "";
    std::string cells = " " + number(point->queries_per_second) + note + " |";
    if (latency)
        cells +=
            " " + number(point->p50_us / 1000, 2) + " | " + number(point->p99_us / 1000, 2) + " |";
    return cells;
}

std::string summary_table(const std::vector<BenchResult>& results) {
    std::string text =
        "| system | build, s | index, MB | inserts/s | queries/s at 0.96 | p50, ms | p99, ms | at "
        "0.985 | p50, ms | p99, ms | 2 clients, 0.96 | 0.985 |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    for (const BenchResult& result : results) {
        text += "| " + result.system + " | " + or_dash(result.build_seconds, 1) + " | " +
                or_dash(static_cast<double>(result.index_bytes) / 1e6) + " | " +
                or_dash(result.inserts_per_second) + " |";
        for (const double recall : kRecalls)
            text += speed_cells(result, 1, recall, true);
        for (const double recall : kRecalls)
            text += speed_cells(result, 2, recall, false);
        text += "\n";
    }
    return text + "\n";
}

std::string point_table(const std::vector<BenchResult>& results) {
    std::string text =
        "<details><summary>Every setting</summary>\n\n| system | clients | setting | recall | "
        "queries/s | p50, us | p99, us |\n|---|--:|--:|--:|--:|--:|--:|\n";
    for (const BenchResult& result : results) {
        for (const BenchPoint& point : result.points) {
            text += "| " + result.system + " | " + std::to_string(point.client_count) + " | " +
                    std::to_string(point.knob) + " | " + number(point.recall, 4) + " | " +
                    number(point.queries_per_second) + " | " + number(point.p50_us) + " | " +
                    number(point.p99_us) + " |\n";
        }
    }
    return text + "\n</details>\n\n";
}

const BenchResult* find_system(const std::vector<BenchResult>& results, const std::string& name) {
    const auto found = std::ranges::find(results, name, &BenchResult::system);
    return found == results.end() ? nullptr : &*found;
}

// "| what | asked | ratio |"; a dash when either side was not measured.
std::string ratio_line(const std::string& what, const std::string& asked, double ours,
                       double theirs) {
    const bool known = ours > 0 && theirs > 0;
    return "| " + what + " | " + asked + " | " + (known ? number(ours / theirs, 2) + "x" : "-") +
           " |\n";
}

std::string ratio_table(const std::vector<BenchResult>& results) {
    const BenchResult* ours = find_system(results, "lookalike");
    const BenchResult* pgvector = find_system(results, "pgvector HNSW");
    const BenchResult* hnsw = find_system(results, "FAISS HNSW32");
    if (!ours || !pgvector) return "";
    std::string text = "| figure | mark | measured |\n|---|---|--:|\n";
    const auto part = [](const BenchResult* result, double recall, double BenchPoint::*member) {
        const auto point = result ? at_recall(*result, 1, recall) : std::nullopt;
        return point ? (*point).*member : 0.0;
    };
    for (const double recall : kRecalls) {
        const std::string at = " at " + number(recall, 3);
        const double speed = part(ours, recall, &BenchPoint::queries_per_second);
        text += ratio_line("queries a second" + at + ", to pgvector", "at least 5x", speed,
                           part(pgvector, recall, &BenchPoint::queries_per_second));
        text += ratio_line("p99" + at + ", to our own median", "at most 2x",
                           part(ours, recall, &BenchPoint::p99_us),
                           part(ours, recall, &BenchPoint::p50_us));
        text +=
            ratio_line("queries a second" + at + ", to FAISS HNSW32 in process", "at least 0.6x",
                       speed, part(hnsw, recall, &BenchPoint::queries_per_second));
    }
    text += ratio_line("build time, to pgvector", "at most 0.1x", ours->build_seconds,
                       pgvector->build_seconds);
    text += ratio_line("index size, to pgvector", "at most 0.33x",
                       static_cast<double>(ours->index_bytes),
                       static_cast<double>(pgvector->index_bytes));
    text += ratio_line("single-row inserts a second, to pgvector", "at least 5x",
                       ours->inserts_per_second, pgvector->inserts_per_second);
    return text + "\n";
}

std::vector<BenchResult> read_results(const std::filesystem::path& folder) {
    std::vector<BenchResult> results;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        results.push_back(read_result(entry.path()));
    // This system first, then by name.
    std::ranges::sort(results, {}, [](const BenchResult& result) {
        return std::pair(result.system != "lookalike", result.system);
    });
    return results;
}

std::string set_section(const std::filesystem::path& folder, const std::filesystem::path& docs) {
    const std::string set = folder.filename();
    const auto results = read_results(folder);
    const std::string plot = "benchmark-" + set + ".svg";
    std::ofstream(docs / plot) << plot_svg(set, results);
    std::string text = "### " + set + "\n\n" + summary_table(results);
    text += "![Recall against queries a second](" + plot + ")\n\n";
    for (const BenchResult& result : results)
        text += "- " + result.system + ": " + result.description + "\n";
    text += "\n" + point_table(results);
    return text;
}

std::set<std::filesystem::path> entries_of(const std::filesystem::path& folder) {
    std::set<std::filesystem::path> entries;
    if (!std::filesystem::exists(folder)) return entries;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        entries.insert(entry.path());
    return entries;
}

// Empty when no set was measured.
std::string set_sections(const std::filesystem::path& results, const std::filesystem::path& docs) {
    std::string text;
    for (const auto& folder : entries_of(results)) {
        if (folder.filename() != kFilterResults) text += set_section(folder, docs);
    }
    if (text.empty()) return text;
    const auto sift = results / "sift";
    return machine() + (std::filesystem::exists(sift) ? ratio_table(read_results(sift)) : "") +
           text;
}

// Empty when no filtered search was measured.
std::string filter_sections(const std::filesystem::path& results,
                            const std::filesystem::path& docs) {
    std::string text;
    for (const auto& file : entries_of(results / kFilterResults)) {
        const std::string set = file.filename();
        const FilterResult result = read_filter_result(file);
        text += "### " + set + "\n\n" + filter_section(result);
        for (const auto& [kind, attributes] : std::map<std::string, std::vector<std::string>>{
                 {"independent", {"independent"}},
                 {"correlated", {"correlated, near", "correlated, far"}}}) {
            const std::string plot = "benchmark-filters-" + kind + "-" + set + ".svg";
            std::ofstream(docs / plot)
                << filter_plot_svg(set + ", " + kind + " attribute", result, attributes);
            text += "![Queries a second by share of rows that pass](" + plot + ")\n\n";
        }
    }
    return text.empty() ? text : machine() + text;
}

// Nothing new keeps the old.
void replace(std::string& document, const Place& place, const std::string& text) {
    const size_t begin = document.find(place.begin);
    const size_t end = document.find(place.end);
    if (begin == std::string::npos || end == std::string::npos || end < begin)
        throw std::runtime_error(std::string("the document has no line ") + place.begin);
    if (text.empty()) return;
    const size_t first = begin + std::string(place.begin).size();
    document.replace(first, end - first, "\n" + text);
}

}  // namespace

void report_bench(const ReportOptions& options) {
    std::ifstream in(options.document);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto docs = options.document.parent_path();
    if (options.has_sets) replace(text, kSetPlace, set_sections(options.results, docs));
    if (options.has_filters) replace(text, kFilterPlace, filter_sections(options.results, docs));
    std::ofstream out(options.document);
    out << text;
    if (!out.flush())
        throw std::runtime_error("could not write \"" + options.document.string() + "\"");
}

}  // namespace lookalike
