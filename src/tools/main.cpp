// The command-line client: each subcommand is a file in tools/commands.
#include <CLI/CLI.hpp>
#include <iostream>
#include <pqxx/except>

#include "tools/commands/bench.h"
#include "tools/commands/gallery.h"
#include "tools/commands/load.h"
#include "tools/commands/search.h"
#include "tools/exit_code.h"

namespace {

int failed(const std::exception& error, int status) {
    std::cerr << "lookalike: " << error.what() << '\n';
    return status;
}

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app("Image similarity search in PostgreSQL");
    app.require_subcommand(1);
    lookalike::add_load(app);
    lookalike::add_search(app);
    lookalike::add_gallery(app);
    lookalike::add_bench(app);
    try {
        app.parse(argument_count, arguments);
    } catch (const CLI::RuntimeError& status) {
        return status.get_exit_code();
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? lookalike::kFine : lookalike::kWrongUse;
    } catch (const lookalike::WrongUse& error) {
        return failed(error, lookalike::kWrongUse);
    } catch (const lookalike::NoDatabase& error) {
        return failed(error, lookalike::kNoDatabase);
    } catch (const pqxx::broken_connection& error) {
        return failed(error, lookalike::kNoDatabase);
    } catch (const pqxx::sql_error& error) {
        return failed(error, lookalike::kWrongUse);
    } catch (const std::exception& error) {
        return failed(error, 1);
    }
}
