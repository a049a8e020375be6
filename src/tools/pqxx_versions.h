// The one place that knows how libpqxx 6, 7 and 8 differ.
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <vector>

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

/// One statement. The server finds out the types of `values`, which come as text.
inline pqxx::result exec_with(pqxx::transaction_base& work, const std::string& statement,
                              const std::vector<std::string>& values) {
#if PQXX_VERSION_MAJOR >= 7
    pqxx::params parameters;
    for (const auto& value : values)
        parameters.append(value);
#if PQXX_VERSION_MAJOR > 7 || PQXX_VERSION_MINOR >= 10
    return work.exec(statement, parameters);
#else
    return work.exec_params(statement, parameters);
#endif
#else
    return work.exec_params(statement, pqxx::prepare::make_dynamic_params(values));
#endif
}

/// The same with a picture as its first value, and what to do with it as the second.
inline pqxx::result exec_with_picture(pqxx::transaction_base& work, const std::string& statement,
                                      std::string_view picture, const std::string& value) {
#if PQXX_VERSION_MAJOR > 7 || (PQXX_VERSION_MAJOR == 7 && PQXX_VERSION_MINOR >= 10)
    return work.exec(statement, pqxx::params{binary_parameter(picture), value});
#else
    return work.exec_params(statement, binary_parameter(picture), value);
#endif
}

}  // namespace lookalike
