// The systems that are compared: how each calls its type, its index and its knob.
#pragma once

#include <cstdint>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "tools/pqxx_versions.h"

namespace lookalike {

struct BenchSystem {
    std::string extension;
    std::string name;     ///< in tables and plots
    std::string type;     ///< without dimensions
    std::string method;   ///< of the index
    std::string options;  ///< of the index: "WITH (...)" or nothing
    std::string l2_class;
    std::string cosine_class;
    std::string knob;  ///< the setting that trades speed for recall
    std::vector<uint32_t> knobs;

    std::string table() const { return "bench_" + extension; }
    std::string index() const { return table() + "_index"; }
};

/// Every system that the driver knows, this one first.
const std::vector<BenchSystem>& all_systems();

/// The version, once the extension is there; nothing when the server does not have it.
std::optional<std::string> create_extension(pqxx::connection& connection,
                                            const BenchSystem& system);

/// A value in the type's text form, the same for both types: "[1,2.5]".
std::string text_value(const float* values, uint32_t dims);

/// A value in the type's binary form. Both types have the same one: the number of dimensions, 16
/// zero bits (the kind "real"; unused by pgvector), then floats, all big-endian.
BinaryParameter binary_value(const float* values, uint32_t dims);

}  // namespace lookalike
