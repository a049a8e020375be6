// How answers are written.
#pragma once

#include <ostream>

#include "tools/picture_table/ask.h"

namespace lookalike {

/// For people: control characters are shown, long values cut.
void write_table(std::ostream& out, const PictureTable& table, const Answer& answer);
/// An array of objects.
void write_json(std::ostream& out, const PictureTable& table, const Answer& answer);
/// RFC 4180, a header first; NULL is empty, empty text is "".
void write_csv(std::ostream& out, const PictureTable& table, const Answer& answer);

/// Two to four digits.
std::string distance_text(const FoundRow& row);
/// "94 %", or nothing.
std::string percent_text(const FoundRow& row);
/// Of the title column, or the key; of a path its last part.
std::string title_of(const PictureTable& table, const FoundRow& row);

}  // namespace lookalike
