// A contact sheet: one HTML page with everything in it.
#pragma once

#include <ostream>
#include <string>

#include "tools/picture_table/ask.h"

namespace lookalike {

struct SheetQuery {
    std::string picture;  ///< content of the picture that was sent, or empty
    std::string row;      ///< key of the row, or empty
    std::string text;     ///< words, or empty
    std::string name;     ///< how it is called
};

void write_sheet(std::ostream& out, pqxx::transaction_base& work, const PictureTable& table,
                 const Measure& measure, const SheetQuery& query, const Answer& answer);

}  // namespace lookalike
