// What people filter by: which columns, their values, and how many rows have each.
#include <algorithm>
#include <chrono>
#include <map>

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

class Turn {
  public:
    explicit Turn(std::counting_semaphore<2>& places) : places_(places) { places_.acquire(); }
    ~Turn() { places_.release(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    std::counting_semaphore<2>& places_;
};

struct Counts {
    std::string total = "0";
    std::map<std::string, std::string> values;  ///< JSON by column
    std::map<std::string, size_t> numbers;      ///< of values, by column
};

void add_counts(pqxx::transaction_base& work, const PictureTable& table,
                const std::vector<std::string>& columns, const std::vector<Condition>& conditions,
                const std::string& except, Counts& counts) {
    const Statement statement = count_statement(table, columns, conditions, except);
    for (const auto& row : exec_with(work, statement.sql, statement.values)) {
        if (row[0].is_null()) {
            if (except.empty()) counts.total = row[2].as<std::string>();
            continue;
        }
        const std::string& column = columns[row[0].as<size_t>()];
        if (++counts.numbers[column] > kMaxValues) continue;
        std::string& json = counts.values[column];
        json += (json.empty() ? "[" : ",[") +
                (row[1].is_null() ? "null" : json_text(row[1].as<std::string>())) + "," +
                row[2].as<std::string>() + "]";
    }
}

bool is_conditioned(const std::vector<Condition>& conditions, const std::string& column) {
    return std::ranges::count(conditions, column, &Condition::column) > 0;
}

// Of a column that is filtered by, the values that are not chosen count as well: one more scan.
Counts count(pqxx::transaction_base& work, const Gallery& gallery,
             const std::vector<Condition>& conditions) {
    std::vector<std::string> together;
    for (const auto& facet : gallery.facets)
        if (!facet.is_range && !is_conditioned(conditions, facet.column))
            together.push_back(facet.column);
    Counts counts;
    add_counts(work, gallery.table, together, conditions, "", counts);
    for (const auto& facet : gallery.facets)
        if (!facet.is_range && is_conditioned(conditions, facet.column))
            add_counts(work, gallery.table, {facet.column}, conditions, facet.column, counts);
    return counts;
}

std::string facet_json(const Facet& facet, Counts& counts) {
    std::string json = "{\"column\":" + json_text(facet.column) +
                       ",\"indexed\":" + (facet.is_indexed ? "true" : "false");
    if (facet.is_range)
        return json +
               ",\"range\":" + (facet.kind == ColumnKind::kTime ? "\"time\"" : "\"number\"") +
               ",\"least\":" + json_text(facet.least) + ",\"most\":" + json_text(facet.most) + "}";
    return json + ",\"range\":null,\"values\":[" + counts.values[facet.column] +
           "],\"more\":" + (counts.numbers[facet.column] > kMaxValues ? "true" : "false") + "}";
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
        if (!is_range) continue;
        const auto bounds =
            work.exec("SELECT min(" + name + ")::text, max(" + name + ")::text FROM " + table.name);
        facets.back().least = bounds[0][0].as<std::string>("");
        facets.back().most = bounds[0][1].as<std::string>("");
    }
    return facets;
}

Reply count_facets(Gallery& gallery, const Parameters& parameters) {
    const auto conditions = conditions_of(gallery.table, parameters);
    const std::string key = cache_key(conditions);
    if (const auto known = gallery.counts.find(key)) return {.body = *known};
    const Turn turn(gallery.counting);
    // Somebody else may have counted meanwhile.
    if (const auto known = gallery.counts.find(key)) return {.body = *known};
    std::string json;
    gallery.pool.run([&](pqxx::connection& connection) {
        pqxx::nontransaction work(connection);
        Counts counts;
        try {
            counts = count(work, gallery, conditions);
        } catch (const pqxx::sql_error& error) {
            // What takes too long leaves filters without numbers, and is not tried again at once.
            if (error.sqlstate() != "57014") throw;
            counts.total = "null";
        }
        json = "{\"total\":" + counts.total + ",\"filters\":[";
        for (size_t i = 0; i < gallery.facets.size(); ++i)
            json += (i > 0 ? ",\n" : "\n") + facet_json(gallery.facets[i], counts);
        json += "]}";
    });
    return {.body = *gallery.counts.keep(key, json)};
}

}  // namespace lookalike
