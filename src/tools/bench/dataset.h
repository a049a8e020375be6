// A benchmark's rows on disk: one folder a set, with base.rows (the table), queries.rows and
// inserts.rows (held back), and a word in the file "metric": l2 or cosine.
//
// A .rows file is 8 bytes of magic, then rows, dims and element type as little-endian uint32, then
// the rows one after another: uint8 or IEEE float, without padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace lookalike {

enum class RowElement : uint32_t { kByte = 0, kFloat = 1 };

/// Rows in memory, always as float.
struct Rows {
    uint32_t dims = 0;
    std::vector<float> values;

    uint32_t count() const { return static_cast<uint32_t>(dims ? values.size() / dims : 0); }
    const float* row(size_t index) const { return values.data() + index * dims; }
};

/// REQUIRES for kByte: every value is a whole number in [0, 255]. Throws std::runtime_error.
void write_rows(const std::filesystem::path& file, const Rows& rows, RowElement element);
/// The same from rows that are bytes already, one after another. Throws std::runtime_error.
void write_byte_rows(const std::filesystem::path& file, uint32_t dims,
                     std::span<const uint8_t> bytes);

/// At most `limit` rows; throws std::runtime_error when the file is not what it should be.
Rows read_rows(const std::filesystem::path& file, uint32_t limit = UINT32_MAX);

struct Dataset {
    std::string name;
    bool is_cosine = false;
    Rows base;
    Rows queries;
    Rows inserts;  ///< rows of the same kind that are in neither of the others
};

/// More queries than this tell little more and take long.
constexpr uint32_t kDefaultQueryLimit = 2000;

/// Reads the folder of a set, named after the folder: at most so many base rows and queries.
Dataset read_dataset(const std::filesystem::path& folder, uint32_t base_limit,
                     uint32_t query_limit);

/// Scales every row to length 1, so that L2 orders as cosine does.
void normalise(Rows& rows);

}  // namespace lookalike
