// What the database keeps under a name and a version: networks, projections, codebooks and whatever
// else is made once and used by functions that are IMMUTABLE. Rows of the table "lookalike_models".
#pragma once

#include "pg/server.h"
#include "pg/sha256.h"

namespace lookalike {

constexpr char kRegistryTable[] = "lookalike_models";

/// The kinds that rows have.
constexpr char kNetworkKind[] = "network";
constexpr char kProjectionKind[] = "projection";
constexpr char kTextKind[] = "text";
constexpr char kCodebookKind[] = "codebook";

/// One row. Valid during a visit.
struct Registered {
    const char* kind;
    const char* name;
    int32 version;
    Datum data;           ///< bytea, perhaps still to be fetched
    Datum options;        ///< jsonb
    int32 dims;           ///< of the descriptors that come out of it
    const uint8* digest;  ///< SHA-256 of `data`, kSha256Bytes
};

using VisitRegistered = void (*)(const Registered& row, void* argument);

/// Raises unless it is a name as rows have: 1 to 63 letters from a to z, digits, "_" and "-".
void check_registered_name(const char* name);

/// Raises unless the user may add rows; before long work is done for one.
void check_may_register();

/// Adds a row as the current user. `data` is a bytea, `options` the text of a JSON object.
/// REQUIRES: SPI is connected.
void add_registered(const char* kind, const char* name, int32 version, Datum data,
                    const char* options, int32 dims);

/// "name@version", palloc'd.
char* registered_key(const Registered& row);

/// Calls `visit` with the row of that kind and key ("name@version"); false when there is none. Asks
/// for no rights: whoever may call a function may use what it takes, but only the owners of the
/// extension and the database may read it.
bool visit_registered(const char* kind, const char* key, VisitRegistered visit, void* argument);

/// SHA-256 of all rows of this database. Valid until the next call.
const uint8* registry_digest();

/// False when rows may have changed since the session asked for registry_digest(): what was
/// computed with them must not be kept under that digest.
bool registry_is_as_known();

/// True once after each change; registry_digest() is then read anew.
bool take_registry_news();

/// Grows with every change that this session hears of. What was read of the table may be kept
/// together with what this said before it was read. REQUIRES: the table has been read before.
uint64 registry_changes();

}  // namespace lookalike
