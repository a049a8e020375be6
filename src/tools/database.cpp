#include "tools/database.h"

#include "tools/exit_code.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

std::string trimmed(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    return text;
}

}  // namespace

void add_database_options(CLI::App& command, DatabaseOptions& options) {
    command.add_option(
        "-d,--dbname", options.conninfo,
        "Database: a name, \"host=... dbname=...\" or a URI (default: PGDATABASE and "
        "so on)");
}

std::unique_ptr<pqxx::connection> connect(const DatabaseOptions& options) {
    const bool is_name =
        !options.conninfo.empty() && options.conninfo.find_first_of("=:") == std::string::npos;
    std::string conninfo = options.conninfo;
    if (is_name) {
        conninfo = "dbname='";
        for (const char c : options.conninfo)
            conninfo += (c == '\'' || c == '\\') ? std::string{'\\', c} : std::string{c};
        conninfo += "'";
    }
    try {
        auto connection = std::make_unique<pqxx::connection>(conninfo);
        connection->set_client_encoding("UTF8");
        pqxx::nontransaction(*connection).exec("SET client_min_messages = warning");
        return connection;
    } catch (const pqxx::failure& error) {
        throw NoDatabase(trimmed(error.what()));
    }
}

std::string primary_message(const pqxx::sql_error& error) {
    std::string text = error.what();
    if (const size_t colon = text.find(":  "); colon < text.find('\n')) text.erase(0, colon + 3);
    return trimmed(text.substr(0, text.find('\n')));
}

void require_extension(pqxx::transaction_base& work) {
    if (work.exec("SELECT FROM pg_extension WHERE extname = 'lookalike'").empty())
        throw WrongUse("the database has no lookalike: run CREATE EXTENSION lookalike in it");
}

std::string quoted_table(pqxx::transaction_base& work, const std::string& table) {
    std::string quoted;
    try {
        for (const auto& row : work.exec("SELECT unnest(parse_ident(" + work.quote(table) + "))"))
            quoted += (quoted.empty() ? "" : ".") + work.quote_name(row[0].as<std::string>());
    } catch (const pqxx::sql_error& error) {
        throw WrongUse(
            "--table takes a name as in SQL, such as pins, shop.pins or '\"My pins\"': " +
            primary_message(error));
    }
    return quoted;
}

bool table_exists(pqxx::transaction_base& work, const std::string& quoted) {
    return !work.exec("SELECT WHERE to_regclass(" + work.quote(quoted) + ") IS NOT NULL").empty();
}

std::vector<TableColumn> columns_of(pqxx::transaction_base& work, const std::string& quoted) {
    std::vector<TableColumn> columns;
    for (const auto& row :
         work.exec("SELECT attname, format_type(atttypid, atttypmod) FROM "
                   "pg_attribute WHERE attrelid = to_regclass(" +
                   work.quote(quoted) + ") AND attnum > 0 AND NOT attisdropped ORDER BY attnum"))
        columns.push_back({row[0].as<std::string>(), row[1].as<std::string>()});
    return columns;
}

}  // namespace lookalike
