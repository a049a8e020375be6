#include "tools/gallery/gallery_run.h"

#include <iostream>

#include "tools/exit_code.h"
#include "tools/gallery/gallery.h"
#include "tools/gallery/server.h"
#include "tools/interrupt.h"
#include "tools/pqxx_versions.h"
#include "tools/printable.h"

namespace lookalike {
namespace {

// Beside the table, in its schema.
std::string marks_table(pqxx::transaction_base& work, const GalleryOptions& options,
                        const PictureTable& table) {
    if (options.is_read_only) return "";
    if (!options.marks.empty()) return quoted_table(work, options.marks);
    return exec_with(work,
                     "SELECT quote_ident(nspname) || '.' || quote_ident(left(relname, 57) || "
                     "'_marks') FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE "
                     "c.oid = $1::oid",
                     {table.oid})[0][0]
        .as<std::string>();
}

// The first search of a session starts its worker and measures; nobody has to wait for that of the
// first.
void warm_up(Gallery& gallery) {
    try {
        search_pictures(gallery, {});
    } catch (const std::exception&) {
        // Whoever searches is told.
    }
}

void announce(const Gallery& gallery, const Address& address) {
    std::cout << "gallery of " << printable(gallery.table.name) << ": http://" << authority(address)
              << "/\n";
    if (!is_loopback(address.host))
        std::cout << "it listens beyond this machine: whoever reaches this address sees the table "
                     "with your rights\n";
    if (gallery.marks.empty())
        std::cout << "read-only: marks are not kept\n";
    else
        std::cout << "marks are kept in " << printable(gallery.marks)
                  << ", which the first one creates\n";
    std::cout << "Ctrl-C ends it\n" << std::flush;
}

}  // namespace

void run_gallery(const GalleryOptions& options) {
    const auto address = parse_address(options.listen);
    if (!address) throw WrongUse("--listen takes an address and a port, such as 127.0.0.1:8080");
    Gallery gallery(options.database, options.connection_count, options.timeout_ms);
    gallery.pool.run([&](pqxx::connection& connection) {
        pqxx::nontransaction work(connection);
        gallery.table = open_picture_table(work, options.table);
        if (gallery.table.photo.empty())
            throw WrongUse("the table " + gallery.table.name +
                           " has no column of pictures (bytea): name it by --photo");
        gallery.marks = marks_table(work, options, gallery.table);
    });
    gallery.pool.run([&](pqxx::connection& connection) {
        gallery.facets = find_facets(connection, gallery.table);
    });
    warm_up(gallery);
    GalleryServer server(gallery, *address, options.host_names);
    const Address& bound = server.bind();
    watch_interrupts();
    announce(gallery, bound);
    server.serve();
}

}  // namespace lookalike
