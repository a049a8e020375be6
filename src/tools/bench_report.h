// Writes measured results as tables and plots into a Markdown file.
#pragma once

#include <filesystem>

namespace lookalike {

/// Below the folder of results: one file a set, of filtered searches. Other folders are sets.
constexpr const char* kFilterResults = "filters";

/// Replaces what stands in `document` between the lines "<!-- results -->" and
/// "<!-- end of results -->", and between those of the "filter results", and writes the plots
/// beside it. What `results` has nothing of stays. `results` is what run_bench and run_filter_bench
/// filled, in one run or several. Machine and server are those this runs on and is connected to.
/// Throws std::exception.
void report_bench(const std::filesystem::path& results, const std::filesystem::path& document);

}  // namespace lookalike
