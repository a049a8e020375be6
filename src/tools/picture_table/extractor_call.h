// Which extractor a generated column names.
#pragma once

#include <string>

namespace lookalike {

struct ExtractorCall {
    std::string photo;      ///< column
    std::string extractor;  ///< or the kind of local features
};

/// Of an expression as pg_get_expr() writes it, such as "image_features(photo, 'color'::text)".
/// Both are empty when it is something else.
ExtractorCall extractor_call(const std::string& expression);

}  // namespace lookalike
