// Pictures: of rows, small or large, and those that were sent to search for them.
#include <charconv>

#include "tools/gallery/gallery.h"
#include "tools/json_text.h"
#include "tools/load/sha256.h"
#include "tools/picture_table/ask.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

// As text of bytea: "\x" and two digits for each byte.
std::string from_hex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    if (hex.starts_with("\\x")) hex.remove_prefix(2);
    bytes.reserve(hex.size() / 2);
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
    return bytes;
}

std::string to_hex(std::string_view bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    for (const char c : bytes)
        hex += {kDigits[static_cast<unsigned char>(c) >> 4], kDigits[c & 15]};
    return hex;
}

// Few sizes, so that few are made.
std::string size_of(const Parameters& parameters) {
    const std::string size = parameter(parameters, "size");
    if (size.empty()) return "400";
    if (size != "200" && size != "400" && size != "1200")
        throw BadRequest("\"size\" is 200, 400 or 1200");
    return size;
}

Reply picture_reply(std::string content, const std::string& version) {
    const char* type = content.starts_with("\x89PNG") ? "image/png" : "image/jpeg";
    return {.body = std::move(content), .type = type, .version = version};
}

std::string bytes_of(const pqxx::result& rows) {
    if (rows.empty() || rows[0][0].is_null()) throw NotThere("there is no such picture");
    return from_hex({rows[0][0].c_str(), rows[0][0].size()});
}

}  // namespace

Reply row_picture(Gallery& gallery, const Parameters& parameters, const std::string& known) {
    const PictureTable& table = gallery.table;
    if (table.photo.empty()) throw NotThere("the table has no pictures");
    const std::string key = parameter(parameters, "row");
    const std::string size = size_of(parameters);
    const std::string of_row = " FROM " + table.name + " WHERE " + table.sql(table.key) + " = $1";
    const std::string photo = table.sql(table.photo);
    Reply reply;
    gallery.pool.run([&](pqxx::connection& connection) {
        pqxx::nontransaction work(connection);
        // What was made is good as long as the row is the same.
        const auto rows = exec_with(
            work,
            "SELECT " + (table.has_row_version ? "xmin::text" : "md5(" + photo + ")") + of_row,
            {key});
        if (rows.empty() || rows[0][0].is_null()) throw NotThere("there is no such picture");
        const std::string version = rows[0][0].as<std::string>() + "-" + size;
        if (known == version) {
            reply = {.body = "", .version = version, .is_unchanged = true};
            return;
        }
        const std::string place = version + "/" + key;
        if (const auto made = gallery.thumbnails.find(place)) {
            reply = picture_reply(*made, version);
            return;
        }
        std::string content = bytes_of(
            exec_with(work, "SELECT image_thumbnail(" + photo + ", $2)" + of_row, {key, size}));
        gallery.thumbnails.keep(place, content);
        reply = picture_reply(std::move(content), version);
    });
    return reply;
}

Reply sent_picture(Gallery& gallery, const Parameters& parameters, const std::string& known) {
    const std::string digest = parameter(parameters, "picture");
    const std::string size = size_of(parameters);
    const std::string version = digest.substr(0, 16) + "-" + size;
    const std::string place = "sent/" + digest + "/" + size;
    const auto picture = gallery.pictures.find(digest);
    if (!picture) throw NotThere("this picture is no longer kept here: drop it again");
    if (known == version) return {.body = "", .version = version, .is_unchanged = true};
    if (const auto made = gallery.thumbnails.find(place)) return picture_reply(*made, version);
    std::string content;
    gallery.pool.run([&](pqxx::connection& connection) {
        pqxx::nontransaction work(connection);
        content = bytes_of(exec_with_picture(work, "SELECT image_thumbnail($1::bytea, $2::integer)",
                                             *picture, size));
    });
    gallery.thumbnails.keep(place, content);
    return picture_reply(std::move(content), version);
}

Reply take_picture(Gallery& gallery, const Parameters& parameters, std::string content) {
    if (content.empty()) throw BadRequest("the picture is empty");
    const Measure& measure = measure_of(gallery, parameters);
    const std::string digest = to_hex(sha256(content));
    std::string features;
    // Whether it can be used is known before it is kept.
    gallery.pool.run([&](pqxx::connection& connection) {
        pqxx::nontransaction work(connection);
        features = features_of_picture(work, measure, content);
    });
    gallery.features.keep(digest + "/" + measure.column, std::move(features));
    gallery.pictures.keep(digest, std::move(content));
    return {.body = "{\"picture\":" + json_text(digest) + "}"};
}

}  // namespace lookalike
