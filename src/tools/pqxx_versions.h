// The one place that knows how libpqxx 6, 7 and 8 differ.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <string_view>

namespace lookalike {

#if PQXX_VERSION_MAJOR >= 7
using BinaryParameter = std::basic_string<std::byte>;

inline BinaryParameter binary_parameter(std::string_view bytes) {
    return {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()};
}

/// `table` is written as in SQL.
inline pqxx::stream_to stream_into(pqxx::transaction_base& work, const std::string& table) {
    return pqxx::stream_to::raw_table(work, table);
}
#else
using BinaryParameter = pqxx::binarystring;

inline BinaryParameter binary_parameter(std::string_view bytes) {
    return {bytes.data(), bytes.size()};
}

inline pqxx::stream_to stream_into(pqxx::transaction_base& work, const std::string& table) {
    return {work, table};
}
#endif

template <typename... Arguments>
pqxx::result exec_prepared(pqxx::transaction_base& work, const char* statement,
                           const Arguments&... arguments) {
#if PQXX_VERSION_MAJOR > 7 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR >= 10)
    return work.exec(pqxx::prepped{statement}, pqxx::params{arguments...});
#else
    return work.exec_prepared(statement, arguments...);
#endif
}

}  // namespace lookalike
