// What the requests of a gallery share, and what they answer.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <vector>

#include "tools/gallery/byte_cache.h"
#include "tools/gallery/connection_pool.h"
#include "tools/picture_table/picture_table.h"

namespace lookalike {

/// A column that people choose values of.
struct Facet {
    std::string column;
    bool is_indexed;
    bool is_range;  ///< between two bounds, else a few values
    ColumnKind kind;
    std::string least = {}, most = {};  ///< of a range, when the gallery started
};

struct Gallery {
    Gallery(const DatabaseOptions& database, unsigned connection_count, unsigned timeout_ms)
        : pool(database, connection_count, timeout_ms) {}

    PictureTable table;
    std::string marks;  ///< table for marks as in SQL; empty: they are not kept
    std::vector<Facet> facets;
    ConnectionPool pool;
    ByteCache pictures{64 << 20};  ///< that were sent, by their digest
    ByteCache features{16 << 20};  ///< of them, by digest and column
    ByteCache thumbnails{96 << 20};
    ByteCache sizes{32 << 20};  ///< of pictures of rows, by key
    ByteCache counts{8 << 20};  ///< of facets
    std::atomic<int> duplicate_searches = 0;
    std::counting_semaphore<2> counting{2};  ///< counts read whole tables: searches go first
    std::mutex marking;                      ///< one creates the table of marks
};

using Parameters = std::multimap<std::string, std::string>;

struct Reply {
    std::string body = {};
    std::string type = "application/json";
    std::string version = {};  ///< for ETag; empty: it is not to be kept
    bool is_unchanged = false;
};

/// The browser asked for what there cannot be. The text is for people.
struct BadRequest : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// It is not there, or no longer.
struct NotThere : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The first value; empty when there is none.
std::string parameter(const Parameters& parameters, const std::string& name);

/// REQUIRES: `parameters` come from outside; throws BadRequest for a column that is not one.
const Measure& measure_of(const Gallery& gallery, const Parameters& parameters);

Reply describe_table(Gallery& gallery);
Reply search_pictures(Gallery& gallery, const Parameters& parameters);
Reply count_facets(Gallery& gallery, const Parameters& parameters);
Reply find_duplicates(Gallery& gallery, const Parameters& parameters);
/// `known` is the version that the browser has.
Reply row_picture(Gallery& gallery, const Parameters& parameters, const std::string& known);
Reply sent_picture(Gallery& gallery, const Parameters& parameters, const std::string& known);
Reply take_picture(Gallery& gallery, const Parameters& parameters, std::string content);
Reply keep_mark(Gallery& gallery, const Parameters& parameters);

/// Which columns people choose values of, from a sample of the rows.
std::vector<Facet> find_facets(pqxx::connection& connection, const PictureTable& table);

}  // namespace lookalike
