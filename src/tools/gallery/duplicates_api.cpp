// Rows that are nearly the same, in groups.
#include <charconv>
#include <chrono>
#include <map>

#include "tools/gallery/gallery.h"
#include "tools/gallery/groups.h"
#include "tools/gallery/row_json.h"
#include "tools/json_text.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

constexpr int kMaxPairs = 5000;
constexpr size_t kMaxGroups = 100;
constexpr size_t kMaxMembers = 40;
constexpr int kMaxAtOnce = 2;
constexpr const char* kTimeout = "60s";

// They take long, and others search beside them.
class Turn {
  public:
    explicit Turn(std::atomic<int>& count) : count_(count) {
        if (++count_ > kMaxAtOnce) {
            --count_;
            throw Busy("others look for duplicates already, try again in a minute");
        }
    }
    ~Turn() { --count_; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    std::atomic<int>& count_;
};

std::string pairs_statement(const PictureTable& table, const Measure& measure,
                            const std::string& radius) {
    const std::string& key = table.sql(table.key);
    std::string index = "'";
    for (const char c : measure.index)
        index += c == '\'' ? std::string("''") : std::string(1, c);
    return "SELECT a." + key + ", b." + key + ", pair.distance\n  FROM faiss_duplicates(" + index +
           "', " + radius + ", max_pairs => " + std::to_string(kMaxPairs) + ") AS pair\n  JOIN " +
           table.name + " AS a ON a.ctid = pair.a\n  JOIN " + table.name +
           " AS b ON b.ctid = pair.b\n ORDER BY pair.distance, 1, 2";
}

// Whole rows of the groups that are shown, by their keys.
std::map<std::string, FoundRow> rows_of(pqxx::transaction_base& work, const PictureTable& table,
                                        const std::vector<Group>& groups) {
    std::vector<std::string> keys;
    for (const auto& group : groups)
        for (size_t i = 0; i < group.members.size() && i < kMaxMembers; ++i)
            keys.push_back(group.members[i]);
    std::string statement = "SELECT " + table.sql(table.key) + "::text";
    for (const auto& column : table.shown)
        statement += ", " + table.sql(column.name) + "::text";
    statement += " FROM " + table.name + " WHERE " + table.sql(table.key) + " = ANY ($1)";
    std::map<std::string, FoundRow> rows;
    for (const auto& row : exec_with(work, statement, {array_text(keys)})) {
        FoundRow found;
        found.key = row[0].as<std::string>();
        for (size_t i = 0; i < table.shown.size(); ++i) {
            const auto field = row[static_cast<pqxx::row::size_type>(i + 1)];
            found.values.push_back(field.is_null()
                                       ? std::nullopt
                                       : std::optional<std::string>(field.as<std::string>()));
        }
        rows.emplace(found.key, std::move(found));
    }
    return rows;
}

std::string groups_json(Gallery& gallery, pqxx::transaction_base& work,
                        const std::vector<Group>& groups) {
    const auto rows = rows_of(work, gallery.table, groups);
    std::string json = "[";
    for (const auto& group : groups) {
        std::vector<FoundRow> members;
        for (size_t i = 0; i < group.members.size() && i < kMaxMembers; ++i)
            if (const auto row = rows.find(group.members[i]); row != rows.end())
                members.push_back(row->second);
        json += (json.size() > 1 ? ",\n{\"size\":" : "\n{\"size\":") +
                std::to_string(group.members.size()) +
                ",\"nearest\":" + json_number(group.nearest) +
                ",\"rows\":" + rows_json(gallery, work, members) + "}";
    }
    return json + "]";
}

std::string radius_of(const Parameters& parameters) {
    const std::string text = parameter(parameters, "within");
    double value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !(value >= 0))
        throw BadRequest("\"within\" is a distance");
    return json_number(value);
}

}  // namespace

Reply find_duplicates(Gallery& gallery, const Parameters& parameters) {
    const Measure& measure = measure_of(gallery, parameters);
    if (measure.index.empty() || measure.is_local || !gallery.table.has_row_version)
        throw BadRequest("duplicates need an index of the column, on a table without partitions");
    const std::string statement = pairs_statement(gallery.table, measure, radius_of(parameters));
    const Turn turn(gallery.duplicate_searches);
    Reply reply;
    gallery.pool.run([&](pqxx::connection& connection) {
        pqxx::work work(connection);
        work.exec(std::string("SET LOCAL statement_timeout = '") + kTimeout + "'");
        const auto begin = std::chrono::steady_clock::now();
        std::vector<Pair> pairs;
        for (const auto& row : work.exec(statement))
            pairs.push_back(
                {row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<double>()});
        const double ms =
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                .count();
        auto groups = groups_of(pairs);
        const size_t count = groups.size();
        if (groups.size() > kMaxGroups) groups.resize(kMaxGroups);
        reply.body = "{\"groups\":" + groups_json(gallery, work, groups) +
                     ",\"count\":" + std::to_string(count) +
                     ",\"pairs\":" + std::to_string(pairs.size()) +
                     ",\"complete\":" + (pairs.size() < kMaxPairs ? "true" : "false") +
                     ",\"ms\":" + json_number(ms) + ",\"sql\":" + json_text(statement) + "}";
    });
    return reply;
}

}  // namespace lookalike
