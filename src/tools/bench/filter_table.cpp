#include "tools/bench/filter_table.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <tuple>

#include "tools/bench/table.h"

namespace lookalike {

FilterTable::FilterTable(pqxx::connection& connection, const BenchSystem& system,
                         const Dataset& set, const std::vector<FilterColumn>& columns)
    : connection_(connection),
      system_(system),
      set_(set),
      columns_(columns),
      name_("filter_" + system.extension) {}

std::string FilterTable::indexed_features() const {
    return "features " + (set_.is_cosine ? system_.cosine_class : system_.l2_class);
}

void FilterTable::prepare(const std::vector<FilterIndex>& indexes, bool reuse) {
    indexes_ = indexes;
    if (!reuse || !is_there()) {
        fill();
        for (const FilterIndex& index : indexes)
            build(index);
        pqxx::nontransaction work(connection_);
        work.exec("COMMENT ON TABLE " + name_ + " IS " + work.quote(content()));
    }
    pqxx::nontransaction work(connection_);
    work.exec("CREATE EXTENSION IF NOT EXISTS pg_prewarm");
    work.exec("SELECT pg_prewarm('" + name_ + "')");
    work.exec("SELECT pg_prewarm(indexrelid) FROM pg_index WHERE indrelid = '" + name_ +
              "'::regclass");
}

// What the finished table's comment says.
std::string FilterTable::content() const {
    return set_.name + ", " + std::to_string(set_.base.count()) + " rows";
}

bool FilterTable::is_there() const {
    pqxx::nontransaction work(connection_);
    return !work.exec("SELECT FROM pg_class WHERE relname = '" + name_ +
                      "' AND obj_description(oid, 'pg_class') = " + work.quote(content()))
                .empty();
}

void FilterTable::fill() const {
    std::cout << name_ << ": filling" << std::endl;
    const uint32_t dims = set_.base.dims;
    std::string definition = "id int PRIMARY KEY, features " + system_.type;
    definition += "(" + std::to_string(dims) + ")";
    for (const FilterColumn& column : columns_)
        definition += ", " + column.name + " int";
    pqxx::work work(connection_);
    work.exec("DROP TABLE IF EXISTS " + name_);
    work.exec("CREATE TABLE " + name_ + " (" + definition + ")");
    pqxx::stream_to rows = stream_into(work, name_);
    for (uint32_t id = 0; id < set_.base.count(); ++id) {
        std::array<uint16_t, kColumnCount> attributes;
        for (size_t i = 0; i < kColumnCount; ++i)
            attributes[i] = columns_[i].values[id];
        rows << std::tuple_cat(std::make_tuple(id, text_value(set_.base.row(id), dims)),
                               attributes);
    }
    rows.complete();
    work.commit();
    pqxx::nontransaction(connection_).exec("VACUUM (FREEZE, ANALYZE) " + name_);
}

void FilterTable::build(const FilterIndex& index) const {
    const auto begin = std::chrono::steady_clock::now();
    pqxx::nontransaction(connection_)
        .exec("CREATE INDEX " + full_name(index) + " ON " + name_ + " " + index.definition);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    std::cout << full_name(index) << ": built in " << time.count() << " s" << std::endl;
}

std::string FilterTable::query(const std::string& condition) const {
    const std::string where = condition.empty() ? "" : " WHERE " + condition;
    return "SELECT id FROM " + name_ + where + " ORDER BY features " +
           (set_.is_cosine ? "<=>" : "<->") + " $1 LIMIT " + std::to_string(kNeighbours);
}

void FilterTable::hide_all_but(pqxx::transaction_base& work, const std::vector<std::string>& kinds,
                               const std::string& attribute) const {
    const auto has = [](const std::vector<std::string>& names, const std::string& name) {
        return names.empty() || std::ranges::find(names, name) != names.end();
    };
    for (const FilterIndex& index : indexes_) {
        if (!has(kinds, index.kind) || !has(index.attributes, attribute))
            work.exec("DROP INDEX " + full_name(index));
    }
}

std::string FilterTable::kind_of_plan(const std::string& plan) const {
    const auto has = [&](const std::string& text) { return plan.find(text) != std::string::npos; };
    for (const FilterIndex& index : indexes_) {
        // A name may begin another one, so what follows it counts.
        const std::string name = full_name(index);
        if (has("Scan using " + name + " on ") || has("Bitmap Index Scan on " + name + "  ("))
            return index.kind;
    }
    return "table";
}

}  // namespace lookalike
