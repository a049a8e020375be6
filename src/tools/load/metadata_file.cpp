#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "tools/database.h"
#include "tools/exit_code.h"
#include "tools/load/csv.h"
#include "tools/load/metadata.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

constexpr const char* kElements = "metadata_elements";
constexpr size_t kLinesAtOnce = 1000;

std::ifstream opened(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw WrongUse("cannot read the metadata \"" + path + "\": " + std::strerror(errno));
    return in;
}

MetadataFile read_csv(const std::string& path) {
    std::ifstream in = opened(path);
    try {
        CsvReader reader(in);
        MetadataFile file{.names = reader.names(), .rows = {}};
        std::vector<std::optional<std::string>> fields;
        while (reader.next(fields)) {
            auto& row = file.rows.emplace_back();
            for (auto& field : fields)
                row.push_back({std::move(field), ValueSource::kPlain});
        }
        return file;
    } catch (const std::runtime_error& error) {
        throw WrongUse("\"" + path + "\", " + error.what());
    }
}

class JsonReader {
  public:
    explicit JsonReader(pqxx::transaction_base& work) : work_(work) {
        // An object of objects names its pictures by its keys.
        work.exec(
            std::string("PREPARE ") + kElements +
            "(json) AS "
            "WITH element AS ("
            "SELECT n, NULL AS file, value FROM json_array_elements(CASE json_typeof($1) WHEN "
            "'array' THEN $1 ELSE '[]' END) WITH ORDINALITY AS e (value, n) UNION ALL "
            "SELECT n, key, value FROM json_each(CASE json_typeof($1) WHEN 'object' THEN $1 "
            "ELSE '{}' END) WITH ORDINALITY AS e (key, value, n)) "
            "SELECT n, e.file, f.key, json_typeof(f.value), f.value #>> '{}' "
            "FROM element AS e, json_each(e.value) WITH ORDINALITY AS f (key, value, place) "
            "ORDER BY n, place");
    }

    void add(const std::string& json) {
        int64_t last = -1;
        for (const auto& field :
             work_.exec(std::string("EXECUTE ") + kElements + "(" + work_.quote(json) + ")")) {
            if (const auto n = field[0].as<int64_t>(); n != last) {
                file_.rows.emplace_back();
                last = n;
                if (!field[1].is_null())
                    set("file", {field[1].as<std::string>(), ValueSource::kQuoted});
            }
            const auto type = field[3].as<std::string>();
            const ValueSource source = type == "string"                      ? ValueSource::kQuoted
                                       : type == "object" || type == "array" ? ValueSource::kNested
                                                                             : ValueSource::kPlain;
            set(field[2].as<std::string>(),
                {field[4].is_null() ? std::nullopt : std::optional(field[4].as<std::string>()),
                 source});
        }
    }

    MetadataFile take() { return std::move(file_); }

  private:
    void set(const std::string& name, MetadataCell cell) {
        const auto [found, is_new] = places_.try_emplace(name, file_.names.size());
        if (is_new) file_.names.push_back(name);
        auto& row = file_.rows.back();
        if (row.size() <= found->second) row.resize(found->second + 1);
        row[found->second] = std::move(cell);
    }

    pqxx::transaction_base& work_;
    MetadataFile file_;
    std::unordered_map<std::string, size_t> places_;
};

void add_lines(JsonReader& reader, std::ifstream& in) {
    std::string line, lines;
    size_t count = 0;
    const auto flush = [&] {
        if (count > 0) reader.add("[" + lines + "]");
        lines.clear();
        count = 0;
    };
    while (std::getline(in, line)) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        lines += (count++ > 0 ? "," : "") + line;
        if (count == kLinesAtOnce) flush();
    }
    flush();
}

MetadataFile read_json(pqxx::transaction_base& work, const std::string& path, bool has_lines) {
    std::ifstream in = opened(path);
    JsonReader reader(work);
    try {
        if (has_lines)
            add_lines(reader, in);
        else
            reader.add({std::istreambuf_iterator<char>(in), {}});
    } catch (const pqxx::sql_error& error) {
        throw WrongUse("\"" + path + "\" is not JSON of objects: " + primary_message(error));
    }
    return reader.take();
}

}  // namespace

MetadataFile read_metadata(pqxx::transaction_base& work, const std::string& path) {
    const std::string ending = std::filesystem::path(path).extension().string();
    if (ending == ".csv" || ending == ".tsv") return read_csv(path);
    if (ending == ".json") return read_json(work, path, false);
    if (ending == ".jsonl" || ending == ".ndjson") return read_json(work, path, true);
    throw WrongUse("\"" + path + "\": metadata ends in .csv, .tsv, .json or .jsonl");
}

}  // namespace lookalike
