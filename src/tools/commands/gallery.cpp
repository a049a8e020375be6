#include "tools/commands/gallery.h"

#include <memory>

#include "tools/commands/picture_table_options.h"
#include "tools/gallery/gallery_run.h"

namespace lookalike {

void add_gallery(CLI::App& app) {
    auto* gallery = app.add_subcommand("gallery", "Look at a table in a browser, and search it");
    auto options = std::make_shared<GalleryOptions>();
    add_database_options(*gallery, options->database);
    add_picture_table_options(*gallery, options->table);
    gallery->add_option("-l,--listen", options->listen, "Address and port; port 0: any")
        ->capture_default_str();
    gallery->add_option("--host", options->host_names,
                        "Further name by which browsers call this server, of a proxy, say");
    auto* marks =
        gallery->add_option("--marks", options->marks,
                            "Table for marks, as in SQL (default: the table's name and _marks)");
    gallery->add_flag("--read-only", options->is_read_only, "Keep no marks")->excludes(marks);
    gallery->add_option("--connections", options->connection_count, "To the database, at most")
        ->check(CLI::Range(1u, 100u))
        ->capture_default_str();
    gallery
        ->add_option("--timeout", options->timeout_ms, "A statement is ended after so long, in ms")
        ->check(CLI::Range(100u, 3600000u))
        ->capture_default_str();
    gallery->footer(
        "Example:\n  lookalike gallery --table pins -d shop\n"
        "Exit status: 0 ended by Ctrl-C, 2 wrong use, 3 no database at its start.");
    gallery->callback([options] { run_gallery(*options); });
}

}  // namespace lookalike
