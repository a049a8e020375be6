// What the options of a registered row say: fields of a jsonb object. Whoever owns the table may
// have written anything, so what is missing or of another type is an ERROR.
#pragma once

#include "pg/registry/registry.h"

namespace lookalike {

double number_option(const Registered& row, const char* name);

/// A whole number from `least` to `most`.
int32 integer_option(const Registered& row, const char* name, int32 least, int32 most);

bool boolean_option(const Registered& row, const char* name);

/// palloc'd
char* text_option(const Registered& row, const char* name);

/// An array of exactly `count` numbers.
void numbers_option(const Registered& row, const char* name, float* numbers, int count);

}  // namespace lookalike
