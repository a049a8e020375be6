// Whether one cut-off serves tables of different pictures: of the distance, and of what
// faiss_expected_rows() says of it.
//   cutoff_quality --pictures DIR --emoji DIR [--mobilenet FILE]
// The folders are those of image_quality.
//
// Of each query its nearest rows are shown, and a cut-off says which of them belong to it. Two
// questions have known answers. "same picture": which row is the picture that the query was made of
// by halving it, by compressing or by cropping it. "same kind": which rows have the query's label.
// Recall is of the right rows among those shown. Of several tables, each has a best cut-off of its
// own, which may serve another, and all together have a best common one.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/measure/calibrator.h"
#include "image/decode.h"
#include "quality/features.h"
#include "quality/tasks.h"

namespace {

using namespace lookalike;

constexpr size_t kShown = 20;
constexpr size_t kMostPictures = 2000;
constexpr double kRoundNumbers[] = {0.001, 0.01, 0.03, 0.1, 0.3, 1, 10, 50};
constexpr size_t kMostQueries = 300;  // of which copies are made, and which calibrate

// A row shown to a query: what cut-offs judge it by, and whether it belongs there.
struct Shown {
    double distance;
    double rows;
    bool is_right;
};

// A table, searched.
struct Result {
    std::string table;
    std::string extractor;
    std::vector<Shown> shown;
    double right_count = 0;
};

struct Quality {
    double precision = 0;
    double recall = 0;
    double f1 = 0;
};

using Measure = double Shown::*;

Quality quality_at(const Result& result, Measure measure, double cutoff) {
    double kept = 0, right = 0;
    for (const Shown& row : result.shown) {
        if (row.*measure > cutoff) continue;
        ++kept;
        right += row.is_right;
    }
    return {kept > 0 ? right / kept : 1, right / result.right_count,
            2 * right / (kept + result.right_count)};
}

// Those that the rows themselves suggest, a thousand for each table.
std::vector<double> cutoffs(const std::vector<const Result*>& results, Measure measure) {
    std::set<double> values;
    for (const Result* result : results) {
        std::vector<double> sorted;
        for (const Shown& row : result->shown)
            sorted.push_back(row.*measure);
        std::sort(sorted.begin(), sorted.end());
        const size_t step = std::max<size_t>(1, sorted.size() / 1000);
        for (size_t i = 0; i < sorted.size(); i += step)
            values.insert(sorted[i]);
    }
    return {values.begin(), values.end()};
}

double mean_f1(const std::vector<const Result*>& results, Measure measure, double cutoff) {
    double sum = 0;
    for (const Result* result : results)
        sum += quality_at(*result, measure, cutoff).f1;
    return sum / static_cast<double>(results.size());
}

double best_cutoff(const std::vector<const Result*>& results, Measure measure) {
    double best = 0, best_f1 = -1;
    for (const double cutoff : cutoffs(results, measure)) {
        const double f1 = mean_f1(results, measure, cutoff);
        if (f1 > best_f1) {
            best_f1 = f1;
            best = cutoff;
        }
    }
    return best;
}

// ---- Tables ----

// As an index measures itself.
DistanceCurve measure_distances(const cv::Mat& rows, bool is_binary) {
    const Metric metric = is_binary ? Metric::kHamming : Metric::kL2;
    const auto dims = static_cast<uint32_t>(rows.cols);
    const cv::Mat signs = is_binary ? cv::Mat(rows * 2 - 1) : rows;
    Calibrator calibrator(metric, dims);
    const auto count = static_cast<size_t>(rows.rows);
    const size_t queries = std::min(count, kMostQueries);
    for (size_t i = 0; i < queries; ++i)
        calibrator.add_query(signs.ptr<float>(static_cast<int>(i * count / queries)));
    const std::vector<float> centroid(dims);
    calibrator.set_lists(centroid, 1);
    for (int i = 0; i < signs.rows; ++i)
        calibrator.observe(signs.ptr<float>(i), 0);
    return {calibrator.measure(), metric};
}

// `queries` empty: each picture is a query for the others.
Result search(const Task& task, const std::string& extractor) {
    Result result{task.name, extractor, {}, 0};
    const bool is_binary = extractor == "phash";
    const cv::Mat rows = extract_all(task.pictures, extractor);
    const bool leaves_own_out = task.queries.empty();
    const auto& queries = leaves_own_out ? task.pictures : task.queries;
    const DistanceCurve curve = measure_distances(rows, is_binary);
    const cv::Mat squares =
        squared_distances(leaves_own_out ? rows : extract_all(queries, extractor), rows);
    std::vector<size_t> order(task.pictures.size());
    for (size_t q = 0; q < queries.size(); ++q) {
        const float* of_query = squares.ptr<float>(static_cast<int>(q));
        std::iota(order.begin(), order.end(), 0);
        const size_t shown = std::min(kShown + 1, order.size());
        std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(shown), order.end(),
                          [&](size_t a, size_t b) { return of_query[a] < of_query[b]; });
        size_t left = kShown;
        for (size_t i = 0; i < shown && left > 0; ++i) {
            if (leaves_own_out && order[i] == q) continue;
            const double square = std::max(0.0f, of_query[order[i]]);
            const double distance = is_binary ? std::round(square) : std::sqrt(square);
            const bool is_right = task.pictures[order[i]].label == queries[q].label;
            result.shown.push_back(
                {distance, curve.expected_share(distance) * static_cast<double>(order.size()),
                 is_right});
            result.right_count += is_right;
            --left;
        }
    }
    return result;
}

Bytes jpeg(const cv::Mat& image, int quality) {
    Bytes bytes;
    cv::imencode(".jpg", image, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
    return bytes;
}

// The pictures of a task, and copies of some of them as queries.
Task copies_of(const std::string& name, const std::vector<Picture>& pictures) {
    Task task{name, {}, {}};
    for (size_t i = 0; i < std::min(pictures.size(), kMostPictures); ++i)
        task.pictures.push_back({pictures[i].bytes, std::to_string(i), ""});
    const size_t count = task.pictures.size();
    const size_t queries = std::min(count, kMostQueries);
    for (size_t i = 0; i < queries; ++i) {
        const Picture& picture = task.pictures[i * count / queries];
        const cv::Mat image = composed_on_white(decode_image(picture.bytes, kLimits, 1 << 30));
        const int width = image.cols * 9 / 10, height = image.rows * 9 / 10;
        const cv::Rect part(image.cols / 14, image.rows / 30, width, height);
        for (const Bytes& bytes : {jpeg(resized(image, image.cols / 2, image.rows / 2), 90),
                                   jpeg(image, 30), jpeg(image(part), 90)}) {
            task.queries.push_back({bytes, picture.label, ""});
        }
    }
    return task;
}

std::vector<Picture> of_one_vendor(const std::vector<Picture>& emoji) {
    std::map<std::string, Picture> first;
    for (const Picture& picture : emoji)
        first.emplace(picture.label, picture);
    std::vector<Picture> result;
    for (auto& [label, picture] : first)
        result.push_back(picture);
    return result;
}

struct Question {
    const char* name;
    std::vector<Task> tasks;
};

std::vector<Question> read_questions(const std::string& pictures, const std::string& emoji) {
    Question copies{"same picture", {}};
    Question kinds{"same kind", {}};
    for (Task& task : read_tasks(pictures, emoji, "all")) {
        if (task.name == "fashion, article type") {
            copies.tasks.push_back(copies_of("photographs", task.pictures));
            kinds.tasks.push_back(std::move(task));
        } else if (task.name == "textures, class") {
            copies.tasks.push_back(copies_of("textures", task.pictures));
            kinds.tasks.push_back(std::move(task));
        } else if (task.name == "emoji, four vendors") {
            copies.tasks.push_back(copies_of("drawings", of_one_vendor(task.pictures)));
            kinds.tasks.push_back(std::move(task));
        } else if (task.name == "textiles, design") {
            copies.tasks.push_back(copies_of("textiles", task.pictures));
        }
    }
    return {copies, kinds};
}

// ---- Report ----

// The mean F1 when each table is judged by the own cut-off of another, over all pairs.
double borrowed_f1(const std::vector<const Result*>& results, Measure measure) {
    double sum = 0;
    size_t count = 0;
    for (const Result* lender : results) {
        const double cutoff = best_cutoff({lender}, measure);
        for (const Result* result : results) {
            if (result == lender) continue;
            sum += quality_at(*result, measure, cutoff).f1;
            ++count;
        }
    }
    return sum / static_cast<double>(count);
}

void report_tables(const char* name, const std::vector<const Result*>& results, Measure measure) {
    const double common = best_cutoff(results, measure);
    for (const Result* result : results) {
        const double own = best_cutoff({result}, measure);
        const Quality best = quality_at(*result, measure, own);
        const Quality shared = quality_at(*result, measure, common);
        std::printf("%-14s %-22s %-14s | %8.3g  %.2f  %.2f  %.2f | %8.3g  %.2f  %.2f  %.2f\n", name,
                    result->table.c_str(), result->extractor.c_str(), own, best.precision,
                    best.recall, best.f1, common, shared.precision, shared.recall, shared.f1);
    }
}

void report_means(const char* name, const std::vector<const Result*>& results, Measure measure) {
    const double common = best_cutoff(results, measure);
    double own = 0, worst = 1;
    for (const Result* result : results) {
        const double best = quality_at(*result, measure, best_cutoff({result}, measure)).f1;
        own += best / static_cast<double>(results.size());
        worst = std::min(worst, quality_at(*result, measure, common).f1 / best);
    }
    std::printf(
        "%-14s mean F1 by the own cut-off %.3f, by a common one %.3f (at least %2.0f %% of the "
        "own), by another's own %.3f\n",
        name, own, mean_f1(results, measure, common), 100 * worst, borrowed_f1(results, measure));
}

void report(const std::string& title, const std::vector<const Result*>& results) {
    if (results.size() < 2) return;
    std::printf("\n%s: cut-off, precision, recall, F1 of the own and of the common cut-off\n",
                title.c_str());
    report_tables("distance", results, &Shown::distance);
    report_tables("expected rows", results, &Shown::rows);
    report_means("distance", results, &Shown::distance);
    report_means("expected rows", results, &Shown::rows);
    std::fflush(stdout);
}

// Those of `results` that `is_wanted` tells.
template <typename IsWanted>
std::vector<const Result*> those(const std::vector<Result>& results, IsWanted is_wanted) {
    std::vector<const Result*> wanted;
    for (const Result& result : results) {
        if (is_wanted(result)) wanted.push_back(&result);
    }
    return wanted;
}

void answer(const Question& question, const std::vector<std::string>& extractors) {
    std::vector<Result> results;
    for (const std::string& extractor : extractors) {
        for (const Task& task : question.tasks)
            results.push_back(search(task, extractor));
    }
    const std::string title = std::string(question.name) + ", ";
    std::printf("\n%sprecision and recall below", title.c_str());
    for (const double rows : kRoundNumbers)
        std::printf("  %9g", rows);
    for (const Result& result : results) {
        std::printf("\n%-22s %-14s", result.table.c_str(), result.extractor.c_str());
        for (const double rows : kRoundNumbers) {
            const Quality quality = quality_at(result, &Shown::rows, rows);
            std::printf("  %.2f %.2f", quality.precision, quality.recall);
        }
    }
    std::printf("\n");
    for (const std::string& extractor : extractors) {
        report(title + extractor,
               those(results, [&](const Result& result) { return result.extractor == extractor; }));
    }
    for (const Task& task : question.tasks) {
        report(title + task.name,
               those(results, [&](const Result& result) { return result.table == task.name; }));
    }
    report(title + "everything", those(results, [](const Result&) { return true; }));
}

}  // namespace

int main(int argc, char** argv) {
    std::map<std::string, std::string> options;
    for (int i = 1; i + 1 < argc; i += 2)
        options[argv[i]] = argv[i + 1];
    std::vector<std::string> extractors{"color+pattern", "color", "pattern", "phash"};
    if (!options["--mobilenet"].empty()) {
        load_mobilenet(options["--mobilenet"]);
        extractors.push_back("net:mobilenet@1");
    }
    for (const Question& question : read_questions(options["--pictures"], options["--emoji"]))
        answer(question, extractors);
}
