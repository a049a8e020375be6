#include "tools/bench/dataset.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace lookalike {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

constexpr std::array<char, 8> kMagic = {'L', 'K', 'R', 'O', 'W', 'S', '0', '1'};

struct Header {
    std::array<char, 8> magic;
    uint32_t count;
    uint32_t dims;
    uint32_t element;
};

[[noreturn]] void fail(const std::filesystem::path& file, const char* what) {
    throw std::runtime_error("could not read \"" + file.string() + "\": " + what);
}

template <typename Value>
void write_file(const std::filesystem::path& file, uint32_t dims, RowElement element,
                const Value* values, size_t count) {
    std::ofstream out(file, std::ios::binary);
    const Header header{kMagic, static_cast<uint32_t>(count / dims), dims,
                        static_cast<uint32_t>(element)};
    out.write(reinterpret_cast<const char*>(&header), sizeof(header));
    out.write(reinterpret_cast<const char*>(values),
              static_cast<std::streamsize>(count * sizeof(Value)));
    if (!out.flush()) throw std::runtime_error("could not write \"" + file.string() + "\"");
}

}  // namespace

void write_rows(const std::filesystem::path& file, const Rows& rows, RowElement element) {
    if (element == RowElement::kByte) {
        const std::vector<uint8_t> bytes(rows.values.begin(), rows.values.end());
        write_byte_rows(file, rows.dims, bytes);
    } else {
        write_file(file, rows.dims, element, rows.values.data(), rows.values.size());
    }
}

void write_byte_rows(const std::filesystem::path& file, uint32_t dims,
                     std::span<const uint8_t> bytes) {
    write_file(file, dims, RowElement::kByte, bytes.data(), bytes.size());
}

Rows read_rows(const std::filesystem::path& file, uint32_t limit) {
    std::ifstream in(file, std::ios::binary);
    if (!in) fail(file, "run \"make bench-data\" first");
    Header header;
    if (!in.read(reinterpret_cast<char*>(&header), sizeof(header)) || header.magic != kMagic ||
        header.dims == 0 || header.element > static_cast<uint32_t>(RowElement::kFloat))
        fail(file, "it is no file of rows");
    Rows rows;
    rows.dims = header.dims;
    const size_t values = size_t{std::min(header.count, limit)} * header.dims;
    rows.values.resize(values);
    if (static_cast<RowElement>(header.element) == RowElement::kByte) {
        // In parts: as floats, a large file fills memory already.
        std::vector<uint8_t> bytes(std::min(values, size_t{1} << 20));
        for (size_t at = 0; at < values && in; at += bytes.size()) {
            const size_t part = std::min(bytes.size(), values - at);
            in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(part));
            std::copy_n(bytes.begin(), part, rows.values.begin() + static_cast<ptrdiff_t>(at));
        }
    } else {
        in.read(reinterpret_cast<char*>(rows.values.data()),
                static_cast<std::streamsize>(values * sizeof(float)));
    }
    if (!in) fail(file, "it is cut short");
    return rows;
}

Dataset read_dataset(const std::filesystem::path& folder, uint32_t base_limit,
                     uint32_t query_limit) {
    Dataset set;
    set.name = std::filesystem::absolute(folder / ".").parent_path().filename();
    std::string metric;
    std::ifstream(folder / "metric") >> metric;
    if (metric != "l2" && metric != "cosine") fail(folder / "metric", "neither l2 nor cosine");
    set.is_cosine = metric == "cosine";
    set.base = read_rows(folder / "base.rows", base_limit);
    set.queries = read_rows(folder / "queries.rows", query_limit);
    set.inserts = read_rows(folder / "inserts.rows");
    if (set.queries.dims != set.base.dims || set.inserts.dims != set.base.dims)
        fail(folder, "its files differ in dimensions");
    return set;
}

void normalise(Rows& rows) {
    for (size_t begin = 0; begin < rows.values.size(); begin += rows.dims) {
        double squares = 0;
        for (size_t i = begin; i < begin + rows.dims; ++i)
            squares += double{rows.values[i]} * rows.values[i];
        const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
        for (size_t i = begin; i < begin + rows.dims; ++i)
            rows.values[i] = static_cast<float>(rows.values[i] * scale);
    }
}

}  // namespace lookalike
