#include "embeddings.h"

#include <charconv>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "row_pool.h"

namespace lookalike {
namespace {

constexpr uint32_t kInsertCount = 10000;

std::string file_content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(in), {}};
    if (content.empty()) throw std::runtime_error("could not read \"" + file.string() + "\"");
    return content;
}

uint32_t big_endian(const std::string& bytes, size_t at) {
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; ++i)
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

// An IDX file of pictures: magic, count, height, width, then the pixels.
Rows read_idx(const std::filesystem::path& file) {
    const std::string bytes = file_content(file);
    if (bytes.size() < 16 || big_endian(bytes, 0) != 0x803)
        throw std::runtime_error("\"" + file.string() + "\" is no IDX file of pictures");
    Rows rows;
    rows.dims = big_endian(bytes, 8) * big_endian(bytes, 12);
    if (bytes.size() != 16 + size_t{big_endian(bytes, 4)} * rows.dims)
        throw std::runtime_error("\"" + file.string() + "\" is cut short");
    for (size_t i = 16; i < bytes.size(); ++i)
        rows.values.push_back(static_cast<unsigned char>(bytes[i]));
    return rows;
}

}  // namespace

void make_mnist(const std::filesystem::path& folder, const std::filesystem::path& base,
                const std::filesystem::path& queries) {
    Dataset set;
    set.base = read_idx(base);
    set.queries = read_idx(queries);
    // The set has no third part, and a test picture is as new to the table as a row can be.
    set.inserts = set.queries;
    write_dataset(folder, "l2", set, RowElement::kByte);
}

void make_words(const std::filesystem::path& folder, const std::filesystem::path& json) {
    constexpr uint32_t kDims = 100;
    const std::string text = file_content(json);
    RowPool pool(kDims, RowElement::kFloat);
    size_t at = text.find("\"vectors\":{");
    const size_t end = text.find("},\"unkVector\"", at);
    if (end == std::string::npos) throw std::runtime_error("unexpected form of " + json.string());
    while ((at = text.find("\":[", at)) < end) {
        float row[kDims];
        const char* position = text.data() + at + 2;  // each number follows "[" or ","
        for (float& value : row) {
            const auto parsed = std::from_chars(position + 1, text.data() + end, value);
            if (parsed.ec != std::errc{}) throw std::runtime_error("unexpected number in the JSON");
            position = parsed.ptr;
        }
        pool.add(row);
        at = static_cast<size_t>(position - text.data());
    }
    pool.write(folder, "cosine", {UINT32_MAX, 1000, kInsertCount});
}

}  // namespace lookalike
