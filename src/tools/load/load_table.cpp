#include "tools/load/load_table.h"

#include <algorithm>

#include "tools/exit_code.h"

namespace lookalike {
namespace {

std::string names_of(const std::vector<MetadataColumn>& columns) {
    std::string names;
    for (const auto& column : columns)
        names += (names.empty() ? "" : ", ") + column.name;
    return names.empty() ? "none" : names;
}

const std::string kDefaultExtractor = "color+pattern";
const std::string kComment = "image_features by ";
// The smallest picture there is tells whether the server can extract features at all.
const std::string kTinyPicture = "'P5 8 8 255 ' || repeat('x', 64)";

bool has_column(const std::vector<TableColumn>& columns, const std::string& name) {
    return std::ranges::count(columns, name, &TableColumn::name) > 0;
}

void create_index(pqxx::transaction_base& work, const std::string& table, const std::string& keys) {
    work.exec("CREATE INDEX ON " + table + " USING faiss (" + keys + ")");
}

void create(pqxx::transaction_base& work, const LoadTable& table, const LoadTableOptions& options,
            const std::vector<MetadataColumn>& columns) {
    std::string statement = "CREATE TABLE " + table.name +
                            " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                            "path text NOT NULL UNIQUE, sha256 bytea NOT NULL, "
                            "photo bytea NOT NULL, features descriptor NOT NULL";
    if (!table.locals.empty()) statement += ", locals local_features";
    for (const auto& column : columns)
        statement += ", " + work.quote_name(column.name) + " " + column.type;
    work.exec(statement + ")");
    // Pictures are compressed already.
    work.exec("ALTER TABLE " + table.name + " ALTER COLUMN photo SET STORAGE EXTERNAL");
    work.exec("COMMENT ON COLUMN " + table.name + ".features IS " +
              work.quote(kComment + table.extractor));
    std::string keys = "features " + distance_of(work, table.extractor).op_class;
    for (const auto& filter : options.filters) {
        if (std::ranges::count(columns, filter, &MetadataColumn::name) == 0)
            throw WrongUse("--filter \"" + filter + "\": the metadata have no such column, but " +
                           names_of(columns));
        keys += ", " + work.quote_name(filter);
    }
    create_index(work, table.name, keys);
    if (!table.locals.empty()) create_index(work, table.name, "locals");
}

void check(pqxx::transaction_base& work, LoadTable& table, const LoadTableOptions& options,
           const std::vector<MetadataColumn>& columns) {
    const auto there = columns_of(work, table.name);
    std::vector<std::string> needed = {"path", "sha256", "photo", "features"};
    if (!options.locals.empty()) needed.push_back("locals");
    for (const auto& name : needed)
        if (!has_column(there, name))
            throw WrongUse("the table " + table.name + " has no column \"" + name +
                           "\": name a table that \"lookalike load\" made, or a new one");
    if (!options.filters.empty())
        throw WrongUse("--filter is for new tables: the table " + table.name +
                       " is there, create an index with SQL");
    const std::string known = extractor_of(work, table.name);
    if (!options.extractor.empty() && !known.empty() && options.extractor != known)
        throw WrongUse("the features of the table " + table.name + " are by the extractor \"" +
                       known + "\": leave out --extractor, or load into another table");
    if (options.extractor.empty() && !known.empty()) table.extractor = known;
    std::string missing;
    for (const auto& column : columns) {
        const auto found = std::ranges::find(there, column.name, &TableColumn::name);
        if (found != there.end())
            table.filled.push_back(*found);
        else
            missing += "\n  ALTER TABLE " + table.name + " ADD COLUMN " +
                       work.quote_name(column.name) + " " + column.type + ";";
    }
    if (!missing.empty())
        throw WrongUse("the table " + table.name +
                       " lacks columns of the metadata; to add them:" + missing);
}

}  // namespace

LoadTable open_load_table(pqxx::transaction_base& work, const LoadTableOptions& options,
                          const std::vector<MetadataColumn>& columns) {
    LoadTable table = {
        .name = quoted_table(work, options.table),
        .extractor = options.extractor.empty() ? kDefaultExtractor : options.extractor,
        .locals = options.locals,
        .filled = {},
        .is_new = false};
    table.is_new = !table_exists(work, table.name);
    if (!table.is_new) check(work, table, options, columns);
    distance_of(work, table.extractor);
    if (!table.is_new) return table;
    create(work, table, options, columns);
    for (const auto& column : columns)
        table.filled.push_back({column.name, column.type});
    return table;
}

std::string extractor_of(pqxx::transaction_base& work, const std::string& quoted) {
    const auto rows = work.exec(
        "SELECT col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = to_regclass(" +
        work.quote(quoted) + ") AND attname = 'features' AND NOT attisdropped");
    if (rows.empty() || rows[0][0].is_null()) return "";
    const auto comment = rows[0][0].as<std::string>();
    return comment.starts_with(kComment) ? comment.substr(kComment.size()) : "";
}

DistanceKind distance_of(pqxx::transaction_base& work, const std::string& extractor) {
    const std::string quoted = work.quote(extractor);
    std::string metric = "l2";
    try {
        work.exec("SELECT image_features(convert_to(" + kTinyPicture + ", 'SQL_ASCII'), " + quoted +
                  ")");
        const auto rows = work.exec("SELECT metric FROM image_extractors() WHERE " + quoted +
                                    " IN (name, name || '@' || version)");
        if (!rows.empty()) metric = rows[0][0].as<std::string>();
    } catch (const pqxx::sql_error& error) {
        throw WrongUse("the extractor \"" + extractor + "\": " + primary_message(error));
    }
    if (metric == "hamming") return {"<~>", "descriptor_hamming_ops"};
    if (metric == "cosine") return {"<=>", "descriptor_cosine_ops"};
    return {"<->", "descriptor_l2_ops"};
}

}  // namespace lookalike
