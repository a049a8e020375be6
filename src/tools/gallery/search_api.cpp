// Searches: rows, and what finding them took.
#include "tools/gallery/gallery.h"
#include "tools/gallery/request.h"
#include "tools/gallery/row_json.h"
#include "tools/json_text.h"
#include "tools/picture_table/ask.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

constexpr const char* kStats =
    "SELECT index::text, lists, lists_probed, entries_scanned, entries_refined, duration_ms FROM "
    "faiss_scan_stats()";

std::string whole_row(const pqxx::result& rows) {
    std::string text;
    if (rows.empty()) return text;
    for (const auto& field : rows[0])
        text += std::string(field.is_null() ? "" : field.c_str()) + "|";
    return text;
}

// A session tells of its last scan; the same numbers as before are of an earlier search.
std::string scan_json(const pqxx::result& before, const pqxx::result& after,
                      const Measure& measure) {
    if (after.empty() || after[0][0].is_null() || whole_row(before) == whole_row(after) ||
        measure.index.empty())
        return "null";
    return "{\"index\":" + json_text(after[0][0].as<std::string>()) +
           ",\"lists\":" + after[0][1].as<std::string>("0") +
           ",\"probed\":" + after[0][2].as<std::string>("0") +
           ",\"scanned\":" + after[0][3].as<std::string>("0") +
           ",\"refined\":" + after[0][4].as<std::string>("0") + "}";
}

}  // namespace

Reply search_pictures(Gallery& gallery, const Parameters& parameters) {
    const Measure& measure = measure_of(gallery, parameters);
    Reply reply;
    gallery.pool.run([&](pqxx::connection& connection) {
        pqxx::nontransaction work(connection);
        const Question question = question_of(gallery, work, measure, parameters);
        const auto before = work.exec(kStats);
        const Answer answer = ask(work, gallery.table, measure, question);
        const auto after = work.exec(kStats);
        if (question.asked_by == AskedBy::kRow && !answer.rows.empty() && !answer.rows[0].distance)
            throw NotThere("this row is not there, or has nothing to compare by");
        const bool may_be_more = answer.rows.size() == question.limit;
        reply.body = "{\"rows\":" + rows_json(gallery, work, answer.rows) +
                     ",\"more\":" + (may_be_more ? "true" : "false") +
                     ",\"ms\":" + json_number(answer.ms) +
                     ",\"scan\":" + scan_json(before, after, measure) +
                     ",\"sql\":" + json_text(answer.sql) + "}";
    });
    return reply;
}

}  // namespace lookalike
