#include "tools/gallery/row_sizes.h"

#include <map>

#include "tools/picture_table/question.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

// Damaged, of a format that is not read, too large (docs/SANDBOX.md).
bool is_of_picture(const pqxx::sql_error& error) {
    const std::string& state = error.sqlstate();
    return state == "22P03" || state == "0A000" || state == "54000";
}

using Sizes = std::map<std::string, std::pair<int, int>>;

void read(Gallery& gallery, pqxx::transaction_base& work, const std::vector<std::string>& keys,
          Sizes& sizes) {
    const PictureTable& table = gallery.table;
    const std::string statement = "SELECT " + table.sql(table.key) +
                                  "::text, i.width, i.height, i.orientation FROM " + table.name +
                                  ", LATERAL image_info(" + table.sql(table.photo) +
                                  ") AS i WHERE " + table.sql(table.key) + " = ANY ($1)";
    for (const auto& row : exec_with(work, statement, {array_text(keys)})) {
        if (row[1].is_null() || row[2].is_null()) continue;
        std::pair<int, int> size = {row[1].as<int>(), row[2].as<int>()};
        // These orientations of a camera lie on their side.
        if (!row[3].is_null() && row[3].as<int>() >= 5) std::swap(size.first, size.second);
        sizes[row[0].as<std::string>()] = size;
    }
}

}  // namespace

std::vector<std::pair<int, int>> row_sizes(Gallery& gallery, pqxx::transaction_base& work,
                                           const std::vector<std::string>& keys) {
    Sizes sizes;
    std::vector<std::string> unknown;
    for (const auto& key : keys)
        if (const auto known = gallery.sizes.find(key))
            sizes[key] = {std::stoi(*known), std::stoi(known->substr(known->find(' ')))};
        else
            unknown.push_back(key);
    if (!unknown.empty() && !gallery.table.photo.empty()) {
        try {
            read(gallery, work, unknown, sizes);
        } catch (const pqxx::broken_connection&) {
            throw;
        } catch (const pqxx::sql_error& error) {
            if (!is_of_picture(error)) throw;
            // One of them is damaged: which, each tells by itself.
            for (const auto& key : unknown)
                try {
                    read(gallery, work, {key}, sizes);
                } catch (const pqxx::sql_error& damaged) {
                    if (!is_of_picture(damaged)) throw;
                }
        }
        for (const auto& key : unknown)
            gallery.sizes.keep(
                key, std::to_string(sizes[key].first) + " " + std::to_string(sizes[key].second));
    }
    std::vector<std::pair<int, int>> ordered;
    for (const auto& key : keys)
        ordered.push_back(sizes[key]);
    return ordered;
}

}  // namespace lookalike
