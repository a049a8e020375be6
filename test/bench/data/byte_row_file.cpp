#include "byte_row_file.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace lookalike {
namespace {

uint64_t hash_of(std::span<const uint8_t> row) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const uint8_t value : row) {
        hash = (hash ^ value) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    return hash;
}

}  // namespace

ByteRowFile::ByteRowFile(const std::filesystem::path& folder, uint32_t dims)
    : folder_(folder), file_(folder / "unshuffled"), dims_(dims) {
    std::filesystem::create_directories(folder);
    out_.exceptions(std::ios::badbit | std::ios::failbit);
    out_.open(file_, std::ios::binary);
}

void ByteRowFile::add(std::span<const uint8_t> row) {
    if (std::ranges::all_of(row, [](uint8_t value) { return value == 0; })) return;
    if (!seen_.insert(hash_of(row)).second) return;
    out_.write(reinterpret_cast<const char*>(row.data()), static_cast<std::streamsize>(row.size()));
}

void ByteRowFile::write(const std::string& metric, const RowPool::Split& split) {
    const uint32_t rows = count(), held_back = split.query_count + split.insert_count;
    if (rows <= held_back) throw std::runtime_error("too few rows for " + folder_.string());
    out_.close();
    std::vector<uint8_t> bytes(size_t{rows} * dims_);
    std::ifstream in(file_, std::ios::binary);
    in.exceptions(std::ios::badbit | std::ios::failbit);
    in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));

    const std::vector<uint32_t> order = shuffled_order(rows);
    const auto write_part = [&](const char* name, uint32_t begin, uint32_t wanted) {
        std::vector<uint8_t> part(size_t{std::min(wanted, rows - begin)} * dims_);
        for (size_t i = 0; i * dims_ < part.size(); ++i)
            std::memcpy(&part[i * dims_], &bytes[size_t{order[begin + i]} * dims_], dims_);
        write_byte_rows(folder_ / name, dims_, part);
    };
    write_part("queries.rows", 0, split.query_count);
    write_part("inserts.rows", split.query_count, split.insert_count);
    write_part("base.rows", held_back, split.base_limit);
    std::filesystem::remove(file_);
    // Last: a folder without it is one that was not finished.
    std::ofstream(folder_ / "metric") << metric << '\n';
}

}  // namespace lookalike
