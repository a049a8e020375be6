// What people filter by: which columns, their values, and how many rows have each.
#include <chrono>

#include "tools/gallery/gallery.h"
#include "tools/gallery/request.h"
#include "tools/json_text.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

constexpr unsigned kMaxValues = 200;
constexpr int kMaxNumbers = 24;  // of more, people say from where to where
constexpr int kSampleRows = 20000;
constexpr int kSecondsKept = 30;

std::string choices_json(pqxx::transaction_base& work, const PictureTable& table,
                         const Facet& facet, const std::vector<Condition>& conditions) {
    const Statement statement = count_statement(table, facet.column, conditions, kMaxValues + 1);
    std::string values;
    const auto rows = exec_with(work, statement.sql, statement.values);
    for (const auto& row : rows)
        values += (values.empty() ? "[" : ",[") +
                  (row[0].is_null() ? "null" : json_text(row[0].as<std::string>())) + "," +
                  row[1].as<std::string>() + "]";
    return "\"values\":[" + values + "],\"more\":" + (rows.size() > kMaxValues ? "true" : "false");
}

std::string range_json(pqxx::transaction_base& work, const PictureTable& table,
                       const Facet& facet) {
    const std::string& name = table.sql(facet.column);
    const auto rows =
        work.exec("SELECT min(" + name + ")::text, max(" + name + ")::text FROM " + table.name);
    return "\"least\":" + json_text(rows[0][0].as<std::string>("")) +
           ",\"most\":" + json_text(rows[0][1].as<std::string>(""));
}

// Too slow a count leaves a filter without numbers.
std::string facet_json(pqxx::transaction_base& work, const PictureTable& table, const Facet& facet,
                       const std::vector<Condition>& conditions) {
    std::string content;
    try {
        content = facet.is_range ? range_json(work, table, facet)
                                 : choices_json(work, table, facet, conditions);
    } catch (const pqxx::broken_connection&) {
        throw;
    } catch (const pqxx::sql_error& error) {
        if (!error.sqlstate().starts_with("57014")) throw;
        content = "\"slow\":true";
    }
    return "{\"column\":" + json_text(facet.column) +
           ",\"indexed\":" + (facet.is_indexed ? "true" : "false") + ",\"range\":" +
           (facet.is_range ? (facet.kind == ColumnKind::kTime ? "\"time\"" : "\"number\"")
                           : "null") +
           "," + content + "}";
}

// The same conditions within the same half minute have the same counts.
std::string cache_key(const std::vector<Condition>& conditions) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    std::string key = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count() /
                                     kSecondsKept);
    for (const auto& condition : conditions) {
        key += "\n" + json_text(condition.column) + (condition.or_null ? "?" : "") +
               json_text(condition.least) + json_text(condition.most);
        for (const auto& value : condition.values)
            key += json_text(value);
    }
    return key;
}

}  // namespace

std::vector<Facet> find_facets(pqxx::connection& connection, const PictureTable& table) {
    std::vector<Facet> facets;
    pqxx::nontransaction work(connection);
    for (const auto& column : table.shown) {
        if (column.kind == ColumnKind::kOther) continue;
        const std::string& name = table.sql(column.name);
        const auto rows =
            work.exec("SELECT count(DISTINCT " + name + ") FROM (SELECT " + name + " FROM " +
                      table.name + " LIMIT " + std::to_string(kSampleRows) + ") AS sample");
        const int different = rows[0][0].as<int>();
        const bool has_order =
            column.kind == ColumnKind::kNumber || column.kind == ColumnKind::kTime;
        const bool is_range = has_order && different > kMaxNumbers;
        if (different == 0 || (different == 1 && !column.is_indexed)) continue;
        if (!is_range && different > static_cast<int>(kMaxValues)) continue;
        facets.push_back({column.name, column.is_indexed, is_range, column.kind});
    }
    return facets;
}

Reply count_facets(Gallery& gallery, const Parameters& parameters) {
    const auto conditions = conditions_of(gallery.table, parameters);
    const std::string key = cache_key(conditions);
    if (const auto known = gallery.counts.find(key)) return {.body = *known};
    std::string json;
    gallery.pool.run([&](pqxx::connection& connection) {
        pqxx::nontransaction work(connection);
        const Statement total = total_statement(gallery.table, conditions);
        json = "{\"total\":" + exec_with(work, total.sql, total.values)[0][0].as<std::string>() +
               ",\"filters\":[";
        for (size_t i = 0; i < gallery.facets.size(); ++i)
            json += (i > 0 ? ",\n" : "\n") +
                    facet_json(work, gallery.table, gallery.facets[i], conditions);
        json += "]}";
    });
    return {.body = *gallery.counts.keep(key, json)};
}

}  // namespace lookalike
