// What SQL functions on images share.
#pragma once

#include "pg/type/descriptor.h"

namespace lookalike {

/// Descriptor of an image, from the session's cache or its worker; palloc'd. Null when may_refuse
/// is set and the image is unreadable, of an unsupported format or too large. `function` is the SQL
/// function that asks: registered networks lie in its schema.
Descriptor* features_of(bytea* image, text* spec, Oid function, bool may_refuse);

}  // namespace lookalike
