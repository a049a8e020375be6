// A column that rows can be compared by: what made it, how it is compared, which index serves it.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <vector>

namespace lookalike {

struct Measure {
    std::string column;
    std::string extractor;  ///< or the kind of local features; empty: not known, rows can be asked
    std::string photo;      ///< the column that it was made of; empty: not known
    std::string operator_name;
    std::string within;                ///< the function; empty where there is none
    std::string index;                 ///< as text for regclass; empty: none
    std::vector<std::string> filters;  ///< further columns of the index
    bool is_local = false;
    bool is_bits = false;
    bool takes_text = false;  ///< a text network of the same name is registered
};

/// Those of a table, with an index first. `oid` is text.
std::vector<Measure> measures_of(pqxx::transaction_base& work, const std::string& oid);

}  // namespace lookalike
