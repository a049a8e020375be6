// Writes measured results as tables and plots into a Markdown file.
#pragma once

#include <filesystem>

namespace lookalike {

/// Below the folder of results: one file a set, of filtered searches. Other folders are sets.
constexpr const char* kFilterResults = "filters";

struct ReportOptions {
    std::filesystem::path results;  ///< what run_bench and run_filter_bench filled, in several runs
    std::filesystem::path document;
    bool has_sets = true;     ///< write what run_bench measured
    bool has_filters = true;  ///< write what run_filter_bench measured
};

/// Replaces what stands in the document between the lines "<!-- results -->" and
/// "<!-- end of results -->", and between those of the "filter results", and writes the plots
/// beside it. A part without results stays. Machine and server are those this runs on and is
/// connected to. Throws std::exception.
void report_bench(const ReportOptions& options);

}  // namespace lookalike
