// What a bug report needs to know about the libraries of the worker.
#pragma once

#include <string>

#include "core/no_postgres.h"

namespace lookalike {

/// One line for each library.
std::string library_versions();

}  // namespace lookalike
