#include "tools/commands/bench.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/filter_run.h"
#include "tools/bench/growth_run.h"
#include "tools/bench/report.h"
#include "tools/bench/run.h"
#include "tools/bench/scale_run.h"

namespace lookalike {
namespace {

const std::vector<std::string> kParts = {"sets", "filters"};

void add_run(CLI::App& bench) {
    auto* run = bench.add_subcommand("run", "Measure on the server that PGHOST and so on name");
    auto options = std::make_shared<BenchRunOptions>();
    run->add_option("set", options->set, "Folder of the set")->required();
    run->add_option("results", options->results, "Folder for the results")->required();
    run->add_option("--extensions", options->extensions, "Only these (default: all there are)");
    run->add_flag("--reuse", options->reuse, "Search what an earlier run has built");
    run->add_option("--rounds", options->rounds, "How often every query is asked")
        ->check(CLI::Range(1, 100));
    run->add_option("--rows", options->row_limit, "At most so many rows");
    run->add_option("--queries", options->query_limit, "At most so many queries");
    run->add_option("--inserts", options->insert_limit, "At most so many inserts");
    run->callback([options] { run_bench(*options); });
}

void add_filters(CLI::App& bench) {
    auto* filters = bench.add_subcommand("filters", "Measure filtered searches on such a server");
    auto options = std::make_shared<FilterRunOptions>();
    filters->add_option("set", options->set, "Folder of the set")->required();
    filters->add_option("results", options->results, "Folder for the results")->required();
    filters->add_flag("--reuse", options->reuse, "Search what an earlier run has built");
    filters->add_option("--rounds", options->rounds, "How often every query is asked")
        ->check(CLI::Range(1, 100));
    filters->add_option("--rows", options->row_limit, "At most so many rows");
    filters->add_option("--queries", options->query_count, "At most so many queries a cell")
        ->check(CLI::Range(1, 100000));
    filters
        ->add_option("--seconds", options->seconds,
                     "At most so long for one system in one cell, all rounds together")
        ->check(CLI::Range(0.1, 3600.0));
    filters->callback([options] { run_filter_bench(*options); });
}

void add_growth(CLI::App& bench) {
    auto* growth = bench.add_subcommand(
        "growth", "Measure an index that is created first and gets its rows then");
    auto options = std::make_shared<GrowthRunOptions>();
    growth->add_option("set", options->set, "Folder of the set")->required();
    growth->add_option("json", options->json, "File for the results")->required();
    growth->add_option("--histories", options->histories, "Only these (default: all)")
        ->check(CLI::IsMember(all_histories()));
    growth->add_option("--rounds", options->rounds, "How often the two indexes take turns")
        ->check(CLI::Range(1, 100));
    growth->add_option("--rows", options->row_limit, "At most so many rows")
        ->check(CLI::Range(100u, UINT32_MAX));
    growth->add_option("--queries", options->query_limit, "At most so many queries")
        ->check(CLI::Range(1, 100000));
    growth->add_option("--clients", options->client_count, "That insert single rows")
        ->check(CLI::Range(1, 64));
    growth->add_option("--seconds", options->seconds, "At most so long for one turn")
        ->check(CLI::Range(0.1, 3600.0));
    growth->callback([options] { run_growth_bench(*options); });
}

void add_scale(CLI::App& bench) {
    auto* scale =
        bench.add_subcommand("scale", "Measure builds and searches at several numbers of rows");
    auto options = std::make_shared<ScaleRunOptions>();
    scale->add_option("set", options->set, "Folder of the set")->required();
    scale->add_option("json", options->json, "File for the results")->required();
    scale->add_option("--rows", options->sizes, "Numbers of rows")
        ->check(CLI::Range(100u, UINT32_MAX));
    scale->add_option("--restart", options->restart,
                      "Program that restarts the server, with its files out of memory");
    scale->add_option("--states", options->states,
                      "What that program is told, one restart after the other");
    scale->add_option("--recall", options->recall, "That is asked for")
        ->check(CLI::Range(0.01, 1.0));
    scale->add_option("--maintenance-work-mem", options->maintenance_work_mem, "For CREATE INDEX");
    scale->add_option("--rounds", options->rounds, "How often every query is asked")
        ->check(CLI::Range(1, 100));
    scale->add_option("--queries", options->query_limit, "At most so many queries")
        ->check(CLI::Range(1, 100000));
    scale->add_option("--seconds", options->seconds, "At most so long for one round")
        ->check(CLI::Range(0.1, 3600.0));
    scale->callback([options] { run_scale_bench(*options); });
}

void add_report(CLI::App& bench) {
    auto* report = bench.add_subcommand("report", "Write tables and plots into a document");
    auto paths = std::make_shared<std::pair<std::string, std::string>>();
    auto parts = std::make_shared<std::vector<std::string>>(kParts);
    report->add_option("results", paths->first, "Folder that \"run\" and \"filters\" filled")
        ->required();
    report->add_option("document", paths->second, "Markdown file")->required();
    report->add_option("--parts", *parts, "Only these (default: all that were measured)")
        ->check(CLI::IsMember(kParts));
    report->callback([paths, parts] {
        const auto has = [&](const char* part) { return std::ranges::count(*parts, part) > 0; };
        report_bench({.results = paths->first,
                      .document = paths->second,
                      .has_sets = has("sets"),
                      .has_filters = has("filters")});
    });
}

}  // namespace

void add_bench(CLI::App& app) {
    auto* bench = app.add_subcommand("bench", "Measure searches and compare with other systems");
    bench->require_subcommand(1);
    add_run(*bench);
    add_filters(*bench);
    add_growth(*bench);
    add_scale(*bench);
    add_report(*bench);
}

}  // namespace lookalike
