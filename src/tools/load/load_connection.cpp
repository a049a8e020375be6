#include "tools/load/load_connection.h"

#include "tools/exit_code.h"
#include "tools/pqxx_versions.h"

namespace lookalike {
namespace {

constexpr const char* kLookUp = "load_look_up";
constexpr const char* kStore = "load_store";
constexpr const char* kExplain = "load_explain";

// $1 path, $2 digest, $3 content, $4 values, $5 extractor, $6 kind of local features.
// A picture without features gives no row.
std::string store_statement(pqxx::connection& connection, const LoadTable& table) {
    std::string extracted = "image_features_or_null($3::bytea, $5::text) AS features";
    std::string names = "path, sha256, photo, features";
    std::string values = "$1::text, $2::bytea, $3::bytea, p.features";
    std::string changes =
        "sha256 = EXCLUDED.sha256, photo = EXCLUDED.photo, features = EXCLUDED.features";
    if (!table.locals.empty()) {
        extracted += ", image_local_features_or_null($3::bytea, $6::text) AS locals";
        names += ", locals";
        values += ", p.locals";
        changes += ", locals = EXCLUDED.locals";
    }
    for (size_t i = 0; i < table.filled.size(); ++i) {
        const std::string name = connection.quote_name(table.filled[i].name);
        names += ", " + name;
        values += ", ($4::text[])[" + std::to_string(i + 1) + "]::" + table.filled[i].type;
        changes += ", " + name + " = EXCLUDED." + name;
    }
    // Named even where nothing reads it, so that there are always as many.
    const std::string unused = " AND $4::text[] IS NOT NULL";
    return "WITH p AS MATERIALIZED (SELECT " + extracted + ") INSERT INTO " + table.name + " (" +
           names + ") SELECT " + values + " FROM p WHERE p.features IS NOT NULL" + unused +
           " ON CONFLICT (path) DO UPDATE SET " + changes;
}

// The server's worker for images stays with its session, so a failure of one is one picture's.
std::string reason_of(pqxx::connection& connection, const std::string& content,
                      const std::string& extractor) {
    try {
        pqxx::nontransaction work(connection);
        exec_prepared(work, kExplain, binary_parameter(content), extractor);
    } catch (const pqxx::sql_error& error) {
        return primary_message(error);
    }
    return "the picture cannot be used";
}

}  // namespace

LoadConnection::LoadConnection(const DatabaseOptions& options, const LoadTable& table)
    : connection_(connect(options)), extractor_(table.extractor), locals_(table.locals) {
    // What a crash of the server loses, the next run loads again; settle() is for the end.
    pqxx::nontransaction(*connection_).exec("SET synchronous_commit = off");
    connection_->prepare(kLookUp,
                         "SELECT sha256 = $2::bytea FROM " + table.name + " WHERE path = $1::text");
    connection_->prepare(kStore, store_statement(*connection_, table));
    connection_->prepare(kExplain, "SELECT image_features($1::bytea, $2::text)");
}

LoadOutcome LoadConnection::load(const std::string& path, const Picture& picture,
                                 const std::string& values) {
    try {
        return try_load(path, picture, values);
    } catch (const pqxx::broken_connection& error) {
        throw NoDatabase(error.what());
    } catch (const pqxx::sql_error& error) {
        if (!connection_->is_open()) throw NoDatabase(primary_message(error));
        throw PictureRefused(primary_message(error));
    }
}

LoadOutcome LoadConnection::try_load(const std::string& path, const Picture& picture,
                                     const std::string& values) {
    const BinaryParameter digest = binary_parameter(picture.digest);
    pqxx::result known;
    {
        pqxx::nontransaction work(*connection_);
        known = exec_prepared(work, kLookUp, path, digest);
        if (!known.empty() && known[0][0].as<bool>()) return LoadOutcome::kUnchanged;
        const BinaryParameter content = binary_parameter(picture.content);
        const auto stored =
            locals_.empty()
                ? exec_prepared(work, kStore, path, digest, content, values, extractor_)
                : exec_prepared(work, kStore, path, digest, content, values, extractor_, locals_);
        if (stored.affected_rows() > 0)
            return known.empty() ? LoadOutcome::kAdded : LoadOutcome::kChanged;
    }
    throw PictureRefused(reason_of(*connection_, picture.content, extractor_));
}

void LoadConnection::settle() {
    pqxx::nontransaction work(*connection_);
    work.exec("SET synchronous_commit = on");
    // Any record that is waited for carries those before it.
    work.exec("SELECT pg_logical_emit_message(true, 'lookalike', 'loaded')");
}

void LoadConnection::cancel() {
    connection_->cancel_query();
}

}  // namespace lookalike
