// What a request asks for, out of its parameters.
#pragma once

#include <vector>

#include "tools/gallery/gallery.h"
#include "tools/picture_table/question.h"

namespace lookalike {

/// Of "f.season=SS26", "null.season=1", "min.price=3", "max.price=9". Throws BadRequest.
std::vector<Condition> conditions_of(const PictureTable& table, const Parameters& parameters);

/// Of "row", "picture" or "text", "good", "bad", "within", the conditions, "count" and "from".
/// Throws BadRequest, NotThere, and what asking the database throws.
Question question_of(Gallery& gallery, pqxx::transaction_base& work, const Measure& measure,
                     const Parameters& parameters);

}  // namespace lookalike
