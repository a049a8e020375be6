// The command-line client: each subcommand is a file in tools/commands.
#include <CLI/CLI.hpp>
#include <iostream>

#include "tools/commands/bench.h"

int main(int argument_count, char** arguments) {
    CLI::App app("Image similarity search in PostgreSQL");
    app.require_subcommand(1);
    lookalike::add_bench(app);
    try {
        app.parse(argument_count, arguments);
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    } catch (const std::exception& error) {
        std::cerr << "lookalike: " << error.what() << '\n';
        return 1;
    }
}
