// What SQL functions on images share.
#pragma once

#include "pg/type/descriptor.h"

namespace lookalike {

/// Descriptor of an image, from a cache or the session's worker; palloc'd. Null when may_refuse is
/// set and the image cannot be used.
Descriptor* features_of(bytea* image, text* spec, bool may_refuse);

}  // namespace lookalike
