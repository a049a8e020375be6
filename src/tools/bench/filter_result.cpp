#include "tools/bench/filter_result.h"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <sstream>
#include <stdexcept>

namespace lookalike {
namespace {

// Names have spaces and commas, so fields are divided by tabs.
std::string text_field(std::istream& in) {
    std::string text;
    std::getline(in, text, '\t');
    return text;
}

FilterMeasure read_measure(std::istream& in) {
    FilterMeasure measure;
    measure.system = text_field(in);
    measure.plan = text_field(in);
    size_t query_count = 0;
    in >> measure.filled >> measure.queries_per_second >> measure.p50_us >> measure.p99_us >>
        measure.timeout_count >> query_count;
    double recall = 0;
    while (measure.recalls.size() < query_count && in >> recall)
        measure.recalls.push_back(recall);
    return measure;
}

FilterCell read_cell(std::istream& in) {
    FilterCell cell;
    cell.attribute = text_field(in);
    in >> cell.value_count >> cell.match_count;
    return cell;
}

void write_cell(std::ostream& out, const FilterCell& cell) {
    out << "cell\t" << cell.attribute << '\t' << cell.value_count << '\t' << cell.match_count
        << '\n';
    for (const FilterMeasure& measure : cell.measures) {
        out << "measure\t" << measure.system << '\t' << measure.plan << '\t' << measure.filled
            << '\t' << measure.queries_per_second << '\t' << measure.p50_us << '\t'
            << measure.p99_us << '\t' << measure.timeout_count << '\t' << measure.recalls.size();
        for (const double recall : measure.recalls)
            out << ' ' << recall;
        out << '\n';
    }
}

}  // namespace

double FilterMeasure::recall(size_t query_count) const {
    if (query_count == 0) return 0;
    const auto begin = recalls.begin();
    return std::accumulate(begin, begin + static_cast<ptrdiff_t>(query_count), 0.0) /
           static_cast<double>(query_count);
}

const FilterMeasure* find_measure(const FilterCell& cell, const std::string& system) {
    const auto found = std::ranges::find(cell.measures, system, &FilterMeasure::system);
    return found == cell.measures.end() ? nullptr : &*found;
}

void write_filter_result(const std::filesystem::path& file, const FilterResult& result) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream out(file);
    out.precision(9);
    out << "description\t" << result.description << "\nrows\t" << result.row_count << '\n';
    for (const RecallPoint& point : result.recall_points)
        out << "recall\t" << point.target << '\t' << point.recall << '\n';
    for (const FilterCell& cell : result.cells)
        write_cell(out, cell);
    if (!out.flush()) throw std::runtime_error("could not write \"" + file.string() + "\"");
}

FilterResult read_filter_result(const std::filesystem::path& file) {
    std::ifstream in(file);
    FilterResult result;
    for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        const std::string key = text_field(fields);
        if (key == "description") {
            result.description = text_field(fields);
        } else if (key == "rows") {
            fields >> result.row_count;
        } else if (key == "recall") {
            RecallPoint& point = result.recall_points.emplace_back();
            fields >> point.target >> point.recall;
        } else if (key == "cell") {
            result.cells.push_back(read_cell(fields));
        } else if (key == "measure" && !result.cells.empty()) {
            result.cells.back().measures.push_back(read_measure(fields));
        } else {
            fields.setstate(std::ios::failbit);
        }
        if (fields.fail())
            throw std::runtime_error("unexpected line in \"" + file.string() + "\": " + line);
    }
    if (result.row_count == 0)
        throw std::runtime_error("\"" + file.string() + "\" is no result of filtered searches");
    return result;
}

}  // namespace lookalike
