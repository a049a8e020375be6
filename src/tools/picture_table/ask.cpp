#include "tools/picture_table/ask.h"

#include <chrono>
#include <cmath>

#include "tools/exit_code.h"
#include "tools/json_text.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

std::optional<std::string> text_of(const pqxx::field& field) {
    if (field.is_null()) return std::nullopt;
    return std::string(field.c_str(), field.size());
}

// The match that docs/RECIPES.md describes; of local features the distance tells by itself.
void add_percents(pqxx::transaction_base& work, const Measure& measure, Answer& answer) {
    std::string distances = "{";
    for (auto& row : answer.rows) {
        if (measure.is_local && row.distance) row.percent = 100 * (1 - *row.distance);
        if (distances.size() > 1) distances += ",";
        distances += row.distance ? json_number(*row.distance) : "null";
    }
    if (measure.is_local || measure.index.empty() || answer.rows.empty()) return;
    try {
        const auto expected = exec_with(
            work,
            "SELECT faiss_expected_rows($1, d) FROM unnest($2::float8[]) WITH ORDINALITY AS t (d, "
            "place) ORDER BY place",
            {measure.index, distances + "}"});
        for (size_t i = 0; i < answer.rows.size(); ++i)
            if (const auto field = expected[static_cast<pqxx::result::size_type>(i)][0];
                !field.is_null())
                answer.rows[i].percent = 100 / (1 + field.as<double>());
    } catch (const pqxx::broken_connection&) {
        throw;
    } catch (const pqxx::sql_error&) {
        // Where the user may not know it, distances have to do.
    }
}

}  // namespace

std::string said_of_picture(const Measure& measure) {
    return std::string("$1 /* image_") + (measure.is_local ? "local_" : "") +
           "features(the picture, '" + measure.extractor + "'" +
           (measure.is_local ? ", max_features => 600" : "") + ") */";
}

std::string features_of_picture(pqxx::transaction_base& work, const Measure& measure,
                                std::string_view picture) {
    if (measure.extractor.empty())
        throw WrongUse("it is not known which extractor made the column \"" + measure.column +
                       "\": say so by COMMENT ON COLUMN ... IS 'image_features by NAME'");
    const char* statement = measure.is_local
                                ? "SELECT image_local_features($1::bytea, $2, max_features => 600)"
                                : "SELECT image_features($1::bytea, $2)";
    const auto rows = exec_with_picture(work, statement, picture, measure.extractor);
    return text_of(rows[0][0]).value_or("");
}

Answer ask(pqxx::transaction_base& work, const PictureTable& table, const Measure& measure,
           const Question& question) {
    const Statement statement = search_statement(table, measure, question);
    Answer answer;
    const auto begin = std::chrono::steady_clock::now();
    const auto rows = exec_with(work, statement.sql, statement.values);
    answer.ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    for (const auto& row : rows) {
        FoundRow found;
        found.key = row[0].c_str();
        if (!row[1].is_null()) {
            const double distance = row[1].as<double>();
            if (!std::isnan(distance)) found.distance = distance;
        }
        for (size_t i = 0; i < table.shown.size(); ++i)
            found.values.push_back(text_of(row[static_cast<pqxx::row::size_type>(i + 2)]));
        answer.rows.push_back(std::move(found));
    }
    answer.sql = statement.shown;
    if (question.asked_by != AskedBy::kNothing) add_percents(work, measure, answer);
    return answer;
}

}  // namespace lookalike
