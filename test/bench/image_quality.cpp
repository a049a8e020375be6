// How well the extractors find what belongs together, beside baselines in plain OpenCV.
//   image_quality --pictures DIR --emoji DIR [--half tune|report] [--extractors A,B,...]
//                 [--mobilenet FILE]
// DIR of the pictures holds fashion/ (metadata.csv, images/) and textures/CLASS/*.jpg; DIR of the
// emoji one folder a vendor with files of the same names; FILE is MobileNetV2 as ONNX, which then
// is "net:mobilenet@1". Parts that are absent are left out.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "quality/features.h"
#include "quality/tasks.h"

namespace {

using namespace lookalike;

struct Score {
    double mean_average_precision = 0;
    double rank_one = 0;
};

// Ties count against the answer: a wrong picture at the same distance comes first.
double average_precision(const std::vector<std::pair<float, bool>>& sorted) {
    double sum = 0;
    int found = 0;
    for (size_t i = 0; i < sorted.size(); ++i) {
        if (sorted[i].second) sum += ++found / (i + 1.0);
    }
    return found == 0 ? 0 : sum / found;
}

Score score(const Task& task, const std::string& extractor) {
    const cv::Mat rows = extract_all(task.pictures, extractor);
    const bool is_leave_one_out = task.queries.empty();
    const auto& queries = is_leave_one_out ? task.pictures : task.queries;
    const cv::Mat distances =
        squared_distances(is_leave_one_out ? rows : extract_all(queries, extractor), rows);
    Score total;
    int counted = 0;
    for (size_t q = 0; q < queries.size(); ++q) {
        std::vector<std::pair<float, bool>> answers;
        bool has_answer = false;
        for (size_t i = 0; i < task.pictures.size(); ++i) {
            const Picture& picture = task.pictures[i];
            if (is_leave_one_out && i == q) continue;
            if (!picture.source.empty() && picture.source == queries[q].source) continue;
            const bool is_match = picture.label == queries[q].label;
            has_answer |= is_match;
            answers.emplace_back(distances.at<float>(q, i), is_match);
        }
        if (!has_answer) continue;
        std::sort(answers.begin(), answers.end());
        total.mean_average_precision += average_precision(answers);
        total.rank_one += answers[0].second ? 1 : 0;
        ++counted;
    }
    return {total.mean_average_precision / counted, total.rank_one / counted};
}

}  // namespace

int main(int argc, char** argv) {
    std::map<std::string, std::string> options{
        {"--half", "report"},
        {"--extractors", "color+pattern,color,pattern,phash,baseline-hsv,baseline-hog"},
        {"--skip", ""}};
    for (int i = 1; i + 1 < argc; i += 2) {
        options[argv[i]] = argv[i + 1];
    }
    if (!options["--mobilenet"].empty()) {
        load_mobilenet(options["--mobilenet"]);
        options["--extractors"] += ",net:mobilenet@1";
    }
    std::vector<Task> tasks =
        read_tasks(options["--pictures"], options["--emoji"], options["--half"]);
    const std::string skip = options["--skip"];
    std::erase_if(tasks, [&](const Task& task) {
        return !skip.empty() && skip.find(task.name.substr(0, 12)) != std::string::npos;
    });

    std::printf("mean average precision, share of right answers at rank 1 in %%\n%-24s", "");
    for (const Task& task : tasks) {
        std::printf("| %-20.20s ", task.name.c_str());
    }
    std::printf("| mean\n");
    for (const std::string& extractor : split_csv(options["--extractors"])) {
        double sum = 0;
        std::printf("%-24s", extractor.c_str());
        for (const Task& task : tasks) {
            const Score result = score(task, extractor);
            std::printf("| %.3f  %5.1f         ", result.mean_average_precision,
                        100 * result.rank_one);
            sum += result.mean_average_precision;
            std::fflush(stdout);
        }
        std::printf("| %.3f\n", sum / static_cast<double>(tasks.size()));
    }
}
