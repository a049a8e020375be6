// Writes measured results as tables and plots into a Markdown file.
#pragma once

#include <filesystem>

namespace lookalike {

/// Replaces what stands in `document` between the lines "<!-- results -->" and
/// "<!-- end of results -->" and writes one plot a set, "benchmark-SET.svg", beside it. `results`
/// is what run_bench filled. Machine and server are those this runs on and is connected to. Throws
/// std::exception.
void report_bench(const std::filesystem::path& results, const std::filesystem::path& document);

}  // namespace lookalike
