#include "tools/bench/system.h"

#include <bit>
#include <charconv>

namespace lookalike {

const std::vector<BenchSystem>& all_systems() {
    static const std::vector<BenchSystem> systems = {
        {.extension = "lookalike",
         .name = "lookalike",
         .type = "descriptor",
         .method = "faiss",
         .options = "",
         .l2_class = "descriptor_l2_ops",
         .cosine_class = "descriptor_cosine_ops",
         .knob = "lookalike.probes",
         .knobs = {2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128}},
        {.extension = "vector",
         .name = "pgvector HNSW",
         .type = "vector",
         .method = "hnsw",
         .options = "WITH (m = 16, ef_construction = 64)",
         .l2_class = "vector_l2_ops",
         .cosine_class = "vector_cosine_ops",
         .knob = "hnsw.ef_search",
         .knobs = {10, 20, 30, 40, 60, 80, 120, 160, 200, 300, 400}},
    };
    return systems;
}

std::optional<std::string> create_extension(pqxx::connection& connection,
                                            const BenchSystem& system) {
    pqxx::nontransaction work(connection);
    const std::string name = work.quote(system.extension);
    if (work.exec("SELECT FROM pg_available_extensions WHERE name = " + name).empty())
        return std::nullopt;
    work.exec("CREATE EXTENSION IF NOT EXISTS " + work.quote_name(system.extension));
    return work.exec("SELECT extversion FROM pg_extension WHERE extname = " + name)
        .at(0)
        .at(0)
        .as<std::string>();
}

std::string text_value(const float* values, uint32_t dims) {
    std::string text = "[";
    for (uint32_t i = 0; i < dims; ++i) {
        char number[32];  // the shortest form that is the same float when read
        const auto end = std::to_chars(number, number + sizeof(number), values[i]).ptr;
        if (i > 0) text += ',';
        text.append(number, end);
    }
    return text + ']';
}

BinaryParameter binary_value(const float* values, uint32_t dims) {
    std::string bytes;
    bytes.reserve(4 + size_t{dims} * 4);
    const auto put = [&](uint32_t value, int byte_count) {
        for (int shift = (byte_count - 1) * 8; shift >= 0; shift -= 8)
            bytes.push_back(static_cast<char>(value >> shift));
    };
    put(dims, 2);
    put(0, 2);
    for (uint32_t i = 0; i < dims; ++i)
        put(std::bit_cast<uint32_t>(values[i]), 4);
    return binary_parameter(bytes);
}

}  // namespace lookalike
