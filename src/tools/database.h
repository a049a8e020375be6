// How every subcommand reaches its database: libpq's rules (PGHOST and so on, .pgpass, services).
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <pqxx/pqxx>
#include <string>
#include <vector>

namespace lookalike {

struct DatabaseOptions {
    std::string conninfo;  ///< empty: what the environment says
};

void add_database_options(CLI::App& command, DatabaseOptions& options);

/// Speaks UTF-8. Throws NoDatabase.
std::unique_ptr<pqxx::connection> connect(const DatabaseOptions& options);

/// The primary message, without "ERROR:" and what follows it.
std::string primary_message(const pqxx::sql_error& error);

/// Throws WrongUse when the database lacks the extension.
void require_extension(pqxx::transaction_base& work);

/// The parts of a name that is written as in SQL, quoted again. Throws WrongUse.
std::string quoted_table(pqxx::transaction_base& work, const std::string& table);

bool table_exists(pqxx::transaction_base& work, const std::string& quoted);

struct TableColumn {
    std::string name;
    std::string type;  ///< as in SQL
};

/// In their order. REQUIRES: the table exists.
std::vector<TableColumn> columns_of(pqxx::transaction_base& work, const std::string& quoted);

}  // namespace lookalike
