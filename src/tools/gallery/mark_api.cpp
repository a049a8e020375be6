// Marks: what people said of an answer, for later learning.
#include "tools/gallery/gallery.h"
#include "tools/gallery/request.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

// The query's key is NULL when it is no row; its features tell what was searched for.
std::string create_statement(const Gallery& gallery) {
    return "CREATE TABLE IF NOT EXISTS " + gallery.marks + " (query " + gallery.table.key_type +
           ", query_features descriptor NOT NULL, compared_by text NOT NULL, answer " +
           gallery.table.key_type +
           " NOT NULL, good boolean NOT NULL, marked_at timestamptz NOT NULL DEFAULT now())";
}

// A table that somebody else has made may have triggers, which would run with the gallery's rights.
void open_marks(const Gallery& gallery, pqxx::work& work) {
    work.exec(create_statement(gallery));
    const auto own = work.exec(
        "SELECT FROM pg_catalog.pg_class WHERE oid = " + work.quote(gallery.marks) +
        "::pg_catalog.regclass AND relkind = 'r' AND relowner = current_user::pg_catalog.regrole");
    if (own.empty())
        throw BadRequest("the table " + gallery.marks +
                         " does not belong to the role of the gallery: name another by --marks");
}

}  // namespace

Reply keep_mark(Gallery& gallery, const Parameters& parameters) {
    const Measure& measure = measure_of(gallery, parameters);
    const std::string answer = parameter(parameters, "answer");
    const std::string good = parameter(parameters, "mark");
    if (good != "good" && good != "bad" && good != "none")
        throw BadRequest("\"mark\" is good, bad or none");
    if (gallery.marks.empty()) return {.body = "{\"kept\":false}"};
    // Who waits for others' marks keeps no session from searches.
    const std::lock_guard lock(gallery.marking);
    gallery.pool.run([&](pqxx::connection& connection) {
        std::string features;
        std::string row;
        {
            pqxx::nontransaction work(connection);
            Question question = question_of(gallery, work, measure, parameters);
            if (question.asked_by == AskedBy::kNothing || measure.is_local)
                throw BadRequest("marks are of the answer to a search");
            question.good.clear();
            question.bad.clear();
            row = question.asked_by == AskedBy::kRow ? question.value : "";
            const Statement statement = target_statement(gallery.table, measure, question);
            const auto rows = exec_with(work, statement.sql, statement.values);
            if (rows.empty() || rows[0][0].is_null()) throw NotThere("there is no such row");
            features = rows[0][0].as<std::string>();
        }
        pqxx::work work(connection);
        work.exec("SET TRANSACTION READ WRITE");
        open_marks(gallery, work);
        exec_with(work,
                  "DELETE FROM " + gallery.marks +
                      " WHERE query_features = $1::descriptor AND answer = $2 AND compared_by = $3",
                  {features, answer, measure.column});
        if (good != "none")
            exec_with(work,
                      "INSERT INTO " + gallery.marks +
                          " (query, query_features, compared_by, answer, good) VALUES (" +
                          "nullif($1, '')::" + gallery.table.key_type +
                          ", $2::descriptor, $3, $4, $5)",
                      {row, features, measure.column, answer, good == "good" ? "true" : "false"});
        work.commit();
    });
    return {.body = "{\"kept\":true}"};
}

}  // namespace lookalike
