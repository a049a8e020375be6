// The one place that knows how libpqxx 6 and 7 differ.
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
#else
using BinaryParameter = pqxx::binarystring;

inline BinaryParameter binary_parameter(std::string_view bytes) {
    return {bytes.data(), bytes.size()};
}
#endif

}  // namespace lookalike
