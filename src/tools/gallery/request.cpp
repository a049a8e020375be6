#include "tools/gallery/request.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tools/picture_table/ask.h"

namespace lookalike {
namespace {

constexpr unsigned kMaxCount = 300;
constexpr unsigned kMaxFrom = 3000;
constexpr size_t kMaxMarks = 100;
constexpr size_t kMaxTextBytes = 1000;

std::vector<std::string> all_of(const Parameters& parameters, const std::string& name) {
    std::vector<std::string> values;
    const auto [begin, end] = parameters.equal_range(name);
    for (auto at = begin; at != end; ++at)
        values.push_back(at->second);
    return values;
}

unsigned whole_number(const Parameters& parameters, const std::string& name, unsigned fallback,
                      unsigned most) {
    const std::string text = parameter(parameters, name);
    if (text.empty()) return fallback;
    unsigned value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size() || value > most)
        throw BadRequest("\"" + name + "\" is a number up to " + std::to_string(most));
    return value;
}

std::optional<double> number(const Parameters& parameters, const std::string& name) {
    const std::string text = parameter(parameters, name);
    if (text.empty()) return std::nullopt;
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size() ||
        !std::isfinite(value))
        throw BadRequest("\"" + name + "\" is a number");
    return value;
}

// Features of a picture that was sent are made once for each column.
std::string features_of_sent(Gallery& gallery, pqxx::transaction_base& work, const Measure& measure,
                             const std::string& digest) {
    const std::string key = digest + "/" + measure.column;
    if (const auto known = gallery.features.find(key)) return *known;
    const auto picture = gallery.pictures.find(digest);
    if (!picture) throw NotThere("this picture is no longer kept here: drop it again");
    return *gallery.features.keep(key, features_of_picture(work, measure, *picture));
}

}  // namespace

std::string parameter(const Parameters& parameters, const std::string& name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? "" : found->second;
}

const Measure& measure_of(const Gallery& gallery, const Parameters& parameters) {
    const auto& measures = gallery.table.measures;
    const std::string by = parameter(parameters, "by");
    if (by.empty()) return measures.front();
    const auto found = std::ranges::find(measures, by, &Measure::column);
    if (found == measures.end()) throw BadRequest("there is no such column to compare by");
    return *found;
}

std::vector<Condition> conditions_of(const PictureTable& table, const Parameters& parameters) {
    std::vector<Condition> conditions;
    for (const auto& column : table.shown) {
        Condition condition;
        condition.column = column.name;
        condition.values = all_of(parameters, "f." + column.name);
        condition.or_null = !parameter(parameters, "null." + column.name).empty();
        condition.least = parameter(parameters, "min." + column.name);
        condition.most = parameter(parameters, "max." + column.name);
        if (condition.values.size() > kMaxMarks) throw BadRequest("too many values at once");
        if (!condition.values.empty() || condition.or_null || !condition.least.empty() ||
            !condition.most.empty())
            conditions.push_back(std::move(condition));
    }
    return conditions;
}

Question question_of(Gallery& gallery, pqxx::transaction_base& work, const Measure& measure,
                     const Parameters& parameters) {
    Question question;
    question.conditions = conditions_of(gallery.table, parameters);
    question.radius = number(parameters, "within");
    question.limit = whole_number(parameters, "count", 60, kMaxCount);
    question.offset = whole_number(parameters, "from", 0, kMaxFrom);
    if (!measure.is_bits && !measure.is_local) {
        question.good = all_of(parameters, "good");
        question.bad = all_of(parameters, "bad");
        if (question.good.size() + question.bad.size() > kMaxMarks)
            throw BadRequest("100 marks at most");
    }
    if (const auto row = parameter(parameters, "row"); !row.empty()) {
        question.asked_by = AskedBy::kRow;
        question.value = row;
    } else if (const auto digest = parameter(parameters, "picture"); !digest.empty()) {
        question.asked_by = AskedBy::kFeatures;
        question.value = features_of_sent(gallery, work, measure, digest);
        question.said = said_of_picture(measure);
    } else if (const auto text = parameter(parameters, "text"); !text.empty()) {
        if (!measure.takes_text) throw BadRequest("this column cannot be searched by words");
        if (text.size() > kMaxTextBytes) throw BadRequest("1,000 bytes of text at most");
        question.asked_by = AskedBy::kText;
        question.value = text;
    }
    return question;
}

}  // namespace lookalike
