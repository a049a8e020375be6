// The extension itself, as the database knows it: what a name only may mean, membership proves.
#pragma once

#include "pg/server.h"

namespace lookalike {

/// Raises ERRCODE_UNDEFINED_OBJECT when this database has only the library.
Oid extension_oid();

/// The schema that its objects were made in, and move to together.
Oid extension_schema();

/// True for a member of the extension: `class_id` is the catalog that has a row for the object.
/// Nobody but the owner of the extension can make something a member.
bool belongs_to_extension(Oid class_id, Oid object_id);

}  // namespace lookalike
