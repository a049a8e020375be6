// Projections that the database has, as this session keeps them.
#pragma once

#include "core/vector/projection.h"
#include "pg/type/descriptor.h"

namespace lookalike {

/// The projection "name@version". Valid until the next call. Raises ERRCODE_UNDEFINED_OBJECT when
/// it is not registered.
const ProjectionView& registered_projection(const char* key, size_t key_bytes);

/// `features` by that projection: of the same kind. Raises when they have other dimensions than it
/// takes, or are bits.
Descriptor* projected(const Descriptor* features, const char* key, size_t key_bytes);

/// An extractor's text may end with ">name@version". Returns the bytes before, and where the name
/// begins, without the white space around it; null where there is none.
size_t split_off_projection(const char* spec, size_t spec_bytes, const char** key,
                            size_t* key_bytes);

}  // namespace lookalike
