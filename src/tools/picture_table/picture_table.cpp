#include "tools/picture_table/picture_table.h"

#include <algorithm>
#include <array>

#include "tools/database.h"
#include "tools/exit_code.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

// The primary key, else another key of one column without NULLs.
constexpr const char* kKeys = R"sql(
SELECT a.attname
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
 WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1
   AND i.indpred IS NULL AND a.attnotnull
 ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1)sql";

// Domains count as what they are made of.
constexpr const char* kColumns = R"sql(
SELECT a.attname, format_type(a.atttypid, a.atttypmod), t.typcategory, t.typname, quote_ident(a.attname)
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
   AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
 ORDER BY a.attnum)sql";

struct Column {
    std::string name;
    std::string type;
    char category;
    std::string base;
    std::string quoted;
};

const Column* find(const std::vector<Column>& columns, const std::string& name) {
    const auto found = std::ranges::find(columns, name, &Column::name);
    return found == columns.end() ? nullptr : &*found;
}

const Column& named(const std::vector<Column>& columns, const std::string& name,
                    const std::string& option, const std::string& table) {
    const Column* column = find(columns, name);
    if (column == nullptr)
        throw WrongUse(option + ": the table " + table + " has no column \"" + name +
                       "\" that you may read");
    return *column;
}

std::vector<Column> read_columns(pqxx::transaction_base& work, const std::string& oid) {
    std::vector<Column> columns;
    for (const auto& row : exec_with(work, kColumns, {oid}))
        columns.push_back({row[0].as<std::string>(), row[1].as<std::string>(),
                           row[2].as<std::string>()[0], row[3].as<std::string>(),
                           row[4].as<std::string>()});
    return columns;
}

ColumnKind kind_of(const Column& column) {
    switch (column.category) {
        case 'S':
        case 'E':
            return ColumnKind::kText;
        case 'N':
            return ColumnKind::kNumber;
        case 'D':
            return column.base == "time" || column.base == "timetz" ? ColumnKind::kOther
                                                                    : ColumnKind::kTime;
        case 'B':
            return ColumnKind::kBoolean;
        default:
            return ColumnKind::kOther;
    }
}

bool is_for_people(const Column& column) {
    static constexpr std::array<std::string_view, 7> kNotShown = {
        "bytea", "descriptor", "local_features", "vector", "halfvec", "sparsevec", "tsvector"};
    return std::ranges::find(kNotShown, column.base) == kNotShown.end() &&
           column.base.find("vector") == std::string::npos;
}

std::string find_photo(const std::vector<Column>& columns, const std::vector<Measure>& measures) {
    for (const auto& measure : measures)
        if (const Column* column = find(columns, measure.photo);
            column != nullptr && column->base == "bytea")
            return column->name;
    for (const char* name : {"photo", "picture", "image", "content", "data"})
        if (const Column* column = find(columns, name);
            column != nullptr && column->base == "bytea")
            return column->name;
    for (const auto& column : columns)
        if (column.base == "bytea" && column.name.find("sha") == std::string::npos &&
            column.name.find("hash") == std::string::npos)
            return column.name;
    return "";
}

std::string find_title(const std::vector<Column>& columns, const std::string& key) {
    const auto is_text = [](const Column* column) {
        return column != nullptr && kind_of(*column) == ColumnKind::kText;
    };
    for (const char* name : {"title", "name", "design", "caption"})
        if (const Column* column = find(columns, name); is_text(column)) return column->name;
    // As "productdisplayname", but no name of a file.
    for (const auto& column : columns)
        if (is_text(&column) && column.name.ends_with("name") &&
            column.name.find("file") == std::string::npos)
            return column.name;
    for (const char* name : {"label", "file", "filename", "path"})
        if (const Column* column = find(columns, name); is_text(column)) return column->name;
    for (const auto& column : columns)
        if (column.category == 'S' && column.name != key) return column.name;
    return "";
}

void choose_key(pqxx::transaction_base& work, const PictureTableOptions& options,
                const std::vector<Column>& columns, PictureTable& table) {
    std::string name = options.key;
    if (name.empty()) {
        const auto keys = exec_with(work, kKeys, {table.oid});
        if (keys.empty())
            throw WrongUse("the table " + table.name +
                           " has no primary key of one column: name a column that tells its rows "
                           "apart by --key");
        name = keys[0][0].as<std::string>();
    }
    const Column& key = named(columns, name, "--key", table.name);
    table.key = key.name;
    table.key_type = key.type;
}

void choose_measure(const PictureTableOptions& options, PictureTable& table) {
    if (table.measures.empty())
        throw WrongUse("the table " + table.name +
                       " has no column of type descriptor: \"lookalike load\" makes such a table, "
                       "docs/RECIPES.md says how to add one");
    if (options.measure.empty()) return;
    const auto found = std::ranges::find(table.measures, options.measure, &Measure::column);
    if (found == table.measures.end())
        throw WrongUse("--by: the table " + table.name + " has no column \"" + options.measure +
                       "\" of type descriptor or local_features");
    std::rotate(table.measures.begin(), found, found + 1);
}

void choose_shown(const std::vector<Column>& columns, PictureTable& table) {
    const auto& filters = table.measures.front().filters;
    for (const auto& filter : filters)
        if (const Column* column = find(columns, filter); column != nullptr)
            table.shown.push_back({column->name, column->type, kind_of(*column), true});
    for (const auto& column : columns)
        if (is_for_people(column) && column.name != table.key &&
            std::ranges::find(filters, column.name) == filters.end())
            table.shown.push_back({column.name, column.type, kind_of(column), false});
}

}  // namespace

void find_extension(pqxx::transaction_base& work) {
    require_extension(work);
    work.exec(
        "SELECT set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), "
        "''), quote_ident(nspname)), false) FROM pg_extension JOIN pg_namespace n ON n.oid = "
        "extnamespace WHERE extname = 'lookalike' AND NOT nspname = ANY (current_schemas(true))");
}

PictureTable open_picture_table(pqxx::transaction_base& work, const PictureTableOptions& options) {
    PictureTable table = {};
    const std::string asked = quoted_table(work, options.table);
    const auto rows = exec_with(work,
                                "SELECT oid, relkind IN ('r', 'p'), oid::regclass::text FROM "
                                "pg_class WHERE oid = to_regclass($1)",
                                {asked});
    if (rows.empty()) throw WrongUse("there is no table " + asked);
    table.name = rows[0][2].as<std::string>();
    table.oid = rows[0][0].as<std::string>();
    table.has_row_version = rows[0][1].as<bool>();
    const auto columns = read_columns(work, table.oid);
    for (const auto& column : columns)
        table.quoted[column.name] = column.quoted;
    table.measures = measures_of(work, table.oid);
    std::erase_if(table.measures,
                  [&](const Measure& measure) { return find(columns, measure.column) == nullptr; });
    choose_measure(options, table);
    choose_key(work, options, columns, table);
    table.photo = options.photo.empty() ? find_photo(columns, table.measures) : options.photo;
    if (!options.photo.empty() &&
        named(columns, options.photo, "--photo", table.name).base != "bytea")
        throw WrongUse("--photo: \"" + options.photo + "\" is not of type bytea");
    table.title = find_title(columns, table.key);
    choose_shown(columns, table);
    return table;
}

}  // namespace lookalike
