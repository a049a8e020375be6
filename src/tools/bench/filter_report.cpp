#include "tools/bench/filter_report.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace lookalike {
namespace {

constexpr double kLeastRecall = 0.95;
constexpr double kLeastToPgvector = 5;
constexpr double kLeastMeanToPgvector = 8;
constexpr double kMostTimesSlower = 1.5;
constexpr double kMostAboveTarget = 0.03, kMostBelowTarget = 0.01;
constexpr double kEqualRecall = 0.0005;  // what three digits do not show

std::string number(double value, int digits = 0) {
    std::ostringstream text;
    text << std::fixed << std::setprecision(digits) << value;
    return text.str();
}

std::string percent(double share) {
    return number(100 * share, 1) + " %";
}

// Fast ones without, slow ones with a fraction.
std::string speed(double queries_per_second) {
    return number(queries_per_second, queries_per_second < 100 ? 1 : 0);
}

std::string speed_of(const FilterCell& cell, const char* system) {
    const FilterMeasure* measure = find_measure(cell, system);
    return measure ? speed(measure->queries_per_second) : "-";
}

std::string ratio(double value) {
    return value > 0 ? number(value, 2) + "x" : "-";
}

std::string row(const std::vector<std::string>& fields) {
    std::string text = "|";
    for (const std::string& field : fields) {
        text += ' ';
        text += field;
        text += " |";
    }
    return text + '\n';
}

std::string name_of(const FilterCell& cell) {
    return cell.attribute + ", " + passing_share(cell.value_count);
}

std::string mark_row(const std::string& mark, const std::string& asked, const std::string& measured,
                     bool is_met) {
    return row({mark, asked, measured, is_met ? "pass" : "**fail**"});
}

// The cell in which `value` is worst, for those where it is known.
class Worst {
  public:
    void offer(const FilterCell& cell, double value, bool is_worse) {
        if (cell_ && !is_worse) return;
        cell_ = &cell;
        value_ = value;
    }
    bool is_known() const { return cell_ != nullptr; }
    double value() const { return value_; }
    std::string text(const std::string& value) const {
        return value + " (" + name_of(*cell_) + ")";
    }

  private:
    const FilterCell* cell_ = nullptr;
    double value_ = 0;
};

template <class Value>
Worst least(const std::vector<FilterCell>& cells, Value value_of) {
    Worst worst;
    for (const FilterCell& cell : cells) {
        const double value = value_of(*find_measure(cell, kDefaultChoice));
        worst.offer(cell, value, value < worst.value());
    }
    return worst;
}

std::string pgvector_marks(const std::vector<FilterCell>& cells) {
    Worst worst;
    double sum_of_logarithms = 0;
    uint32_t measured_count = 0, worse_recall_count = 0;
    for (const FilterCell& cell : cells) {
        const CellVerdict verdict = judge(cell);
        if (verdict.to_pgvector == 0) continue;
        worst.offer(cell, verdict.to_pgvector, verdict.to_pgvector < worst.value());
        sum_of_logarithms += std::log(verdict.to_pgvector);
        ++measured_count;
        worse_recall_count += !verdict.finds_as_many;
    }
    if (measured_count == 0) return "";
    const double mean = std::exp(sum_of_logarithms / measured_count);
    std::string measured = worst.text(ratio(worst.value()));
    if (worse_recall_count > 0)
        measured += "; cells with lower recall: " + std::to_string(worse_recall_count);
    return mark_row("queries a second to pgvector at equal or better recall, worst cell",
                    "at least " + number(kLeastToPgvector) + "x", measured,
                    worst.value() >= kLeastToPgvector && worse_recall_count == 0) +
           mark_row("the same, geometric mean", "at least " + number(kLeastMeanToPgvector) + "x",
                    ratio(mean), mean >= kLeastMeanToPgvector && worse_recall_count == 0);
}

std::string slowness_mark(const std::vector<FilterCell>& cells) {
    Worst worst;
    for (const FilterCell& cell : cells) {
        const double value = judge(cell).times_slower;
        if (value > 0) worst.offer(cell, value, value > worst.value());
    }
    if (!worst.is_known()) return "";
    return mark_row("times slower than the faster of exact and plain index, worst cell",
                    "at most " + number(kMostTimesSlower, 1) + "x",
                    worst.text(ratio(worst.value())), worst.value() <= kMostTimesSlower);
}

std::string recall_marks(const std::vector<RecallPoint>& points) {
    std::string text;
    for (const RecallPoint& point : points) {
        const double low = point.target - kMostBelowTarget;
        const double high = std::min(1.0, point.target + kMostAboveTarget);
        text += mark_row("recall at lookalike.recall = " + number(point.target, 2) + ", no filter",
                         number(low, 2) + " to " + number(high, 2), number(point.recall, 4),
                         low <= point.recall && point.recall <= high);
    }
    return text;
}

std::string mark_table(const FilterResult& result) {
    const Worst filled = least(result.cells, [](const auto& measure) { return measure.filled; });
    const Worst recall = least(result.cells, [](const auto& measure) { return measure.recall(); });
    return "| mark | asked | measured | |\n|---|---|---|---|\n" +
           mark_row("LIMIT filled, worst cell", "100 %", filled.text(percent(filled.value())),
                    filled.value() >= 1) +
           mark_row("recall, worst cell", "at least " + number(kLeastRecall, 2),
                    recall.text(number(recall.value(), 3)), recall.value() >= kLeastRecall) +
           pgvector_marks(result.cells) + slowness_mark(result.cells) +
           recall_marks(result.recall_points) + "\n";
}

std::string cell_row(const FilterCell& cell) {
    const FilterMeasure& ours = *find_measure(cell, kDefaultChoice);
    const FilterMeasure* pgvector = find_measure(cell, kPgvector);
    const CellVerdict verdict = judge(cell);
    return row({passing_share(cell.value_count), number(cell.match_count), ours.plan,
                percent(ours.filled), number(ours.recall(), 3), speed(ours.queries_per_second),
                number(ours.p50_us / 1000, 2), number(ours.p99_us / 1000, 2),
                speed_of(cell, kFilterIndex), speed_of(cell, kPlainIndex), speed_of(cell, kExact),
                speed_of(cell, kPgvector), pgvector ? number(pgvector->recall(), 3) : "-",
                ratio(verdict.to_pgvector), ratio(verdict.times_slower),
                verdict.failed.empty() ? "pass" : "fail: " + verdict.failed});
}

std::string attribute_table(const FilterResult& result, const std::string& attribute) {
    std::string text = "#### " + attribute +
                       "\n\n| passing | rows | plan | filled | recall | queries/s | p50, ms | p99, "
                       "ms | filter index | plain index | exact | pgvector | its recall | to "
                       "pgvector | times slower | marks |\n"
                       "|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n";
    for (const FilterCell& cell : result.cells) {
        if (cell.attribute == attribute) text += cell_row(cell);
    }
    return text + "\n";
}

std::string every_measure(const FilterResult& result) {
    std::string text =
        "<details><summary>Every system</summary>\n\n| attribute | passing | system | plan | "
        "queries | filled | recall | queries/s | p50, ms | p99, ms | stopped |\n"
        "|---|--:|---|---|--:|--:|--:|--:|--:|--:|--:|\n";
    for (const FilterCell& cell : result.cells) {
        for (const FilterMeasure& measure : cell.measures) {
            text += row({cell.attribute, passing_share(cell.value_count), measure.system,
                         measure.plan, std::to_string(measure.recalls.size()),
                         percent(measure.filled), number(measure.recall(), 4),
                         speed(measure.queries_per_second), number(measure.p50_us / 1000, 3),
                         number(measure.p99_us / 1000, 3), std::to_string(measure.timeout_count)});
        }
    }
    return text + "\n</details>\n\n";
}

void add_failure(CellVerdict& verdict, bool has_failed, const char* mark) {
    if (!has_failed) return;
    if (!verdict.failed.empty()) verdict.failed += ", ";
    verdict.failed += mark;
}

}  // namespace

std::string passing_share(uint32_t value_count) {
    std::ostringstream text;
    text << 100.0 / value_count << " %";
    return text.str();
}

CellVerdict judge(const FilterCell& cell) {
    const FilterMeasure& ours = *find_measure(cell, kDefaultChoice);
    CellVerdict verdict;
    if (const FilterMeasure* pgvector = find_measure(cell, kPgvector)) {
        verdict.to_pgvector = ours.queries_per_second / pgvector->queries_per_second;
        // Of the queries that both were asked.
        const size_t count = std::min(ours.recalls.size(), pgvector->recalls.size());
        verdict.finds_as_many = ours.recall(count) >= pgvector->recall(count) - kEqualRecall;
    }
    for (const char* system : {kExact, kPlainIndex}) {
        if (const FilterMeasure* other = find_measure(cell, system)) {
            verdict.times_slower =
                std::max(verdict.times_slower, other->queries_per_second / ours.queries_per_second);
        }
    }
    add_failure(verdict, ours.filled < 1, "filled");
    add_failure(verdict, ours.recall() < kLeastRecall, "recall");
    add_failure(verdict,
                verdict.to_pgvector > 0 &&
                    (verdict.to_pgvector < kLeastToPgvector || !verdict.finds_as_many),
                "pgvector");
    add_failure(verdict, verdict.times_slower > kMostTimesSlower, "slower");
    return verdict;
}

std::string filter_section(const FilterResult& result) {
    const auto has_ours = [](const FilterCell& cell) { return find_measure(cell, kDefaultChoice); };
    if (result.cells.empty() || !std::ranges::all_of(result.cells, has_ours))
        throw std::runtime_error("the result of filtered searches is not complete");
    std::string text = result.description + "\n\n" + mark_table(result);
    std::vector<std::string> attributes;
    for (const FilterCell& cell : result.cells) {
        if (std::ranges::find(attributes, cell.attribute) == attributes.end())
            attributes.push_back(cell.attribute);
    }
    for (const std::string& attribute : attributes)
        text += attribute_table(result, attribute);
    return text + every_measure(result);
}

}  // namespace lookalike
