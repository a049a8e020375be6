#include "tools/bench/result.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>
#include <stdexcept>

namespace lookalike {

void write_result(const std::filesystem::path& file, const BenchResult& result) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream out(file);
    out << "system " << result.system << "\ndescription " << result.description
        << "\nbuild_seconds " << result.build_seconds << "\nindex_bytes " << result.index_bytes
        << "\ninserts_per_second " << result.inserts_per_second << '\n';
    for (const BenchPoint& point : result.points) {
        out << "point " << point.client_count << ' ' << point.knob << ' ' << point.recall << ' '
            << point.queries_per_second << ' ' << point.p50_us << ' ' << point.p99_us << '\n';
    }
    if (!out.flush()) throw std::runtime_error("could not write \"" + file.string() + "\"");
}

BenchResult read_result(const std::filesystem::path& file) {
    std::ifstream in(file);
    BenchResult result;
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string key;
        words >> key >> std::ws;
        if (key == "system") {
            std::getline(words, result.system);
        } else if (key == "description") {
            std::getline(words, result.description);
            continue;  // may be empty
        } else if (key == "build_seconds") {
            words >> result.build_seconds;
        } else if (key == "index_bytes") {
            words >> result.index_bytes;
        } else if (key == "inserts_per_second") {
            words >> result.inserts_per_second;
        } else if (key == "point") {
            BenchPoint point;
            words >> point.client_count >> point.knob >> point.recall >> point.queries_per_second >>
                point.p50_us >> point.p99_us;
            result.points.push_back(point);
        } else {
            words.setstate(std::ios::failbit);
        }
        if (words.fail())
            throw std::runtime_error("unexpected line in \"" + file.string() + "\": " + line);
    }
    if (result.system.empty())
        throw std::runtime_error("\"" + file.string() + "\" is no benchmark result");
    return result;
}

std::optional<BenchPoint> at_recall(const BenchResult& result, uint32_t client_count,
                                    double recall) {
    std::vector<BenchPoint> curve;
    std::ranges::copy_if(result.points, std::back_inserter(curve), [&](const BenchPoint& point) {
        return point.client_count == client_count;
    });
    std::ranges::sort(curve, {}, &BenchPoint::recall);
    const auto above = std::ranges::find_if(
        curve, [&](const BenchPoint& point) { return point.recall >= recall; });
    if (above == curve.end()) return std::nullopt;
    if (above == curve.begin()) return *above;
    const BenchPoint& low = above[-1];
    const double share = (recall - low.recall) / (above->recall - low.recall);
    const auto between = [&](double from, double to) {
        return std::exp(std::lerp(std::log(from), std::log(to), share));
    };
    BenchPoint point = *above;
    point.recall = recall;
    point.queries_per_second = between(low.queries_per_second, above->queries_per_second);
    point.p50_us = between(low.p50_us, above->p50_us);
    point.p99_us = between(low.p99_us, above->p99_us);
    return point;
}

BenchPoint summarise(std::vector<double> latencies_us) {
    std::ranges::sort(latencies_us);
    const auto at = [&](double part) {
        return latencies_us[static_cast<size_t>(part *
                                                static_cast<double>(latencies_us.size() - 1))];
    };
    BenchPoint point;
    point.p50_us = at(0.5);
    point.p99_us = at(0.99);
    point.queries_per_second = 1e6 * static_cast<double>(latencies_us.size()) /
                               std::accumulate(latencies_us.begin(), latencies_us.end(), 0.0);
    return point;
}

}  // namespace lookalike
