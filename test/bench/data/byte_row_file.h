// A set of byte rows that is too large to be shuffled as floats: rows go to a file as they come,
// and are shuffled from there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <unordered_set>

#include "row_pool.h"

namespace lookalike {

class ByteRowFile {
  public:
    /// Starts an empty file in `folder`, which is made. Throws std::runtime_error.
    ByteRowFile(const std::filesystem::path& folder, uint32_t dims);

    /// Drops the row when an identical one is here, or when it is all zero.
    void add(std::span<const uint8_t> row);
    uint32_t count() const { return static_cast<uint32_t>(seen_.size()); }

    /// Shuffles by a fixed seed, holds rows back and writes the set as RowPool::write() does, with
    /// all rows in memory once; removes the file of add(). Throws std::runtime_error when no base
    /// row is left.
    void write(const std::string& metric, const RowPool::Split& split);

  private:
    std::filesystem::path folder_;
    std::filesystem::path file_;
    std::ofstream out_;
    uint32_t dims_;
    std::unordered_set<uint64_t> seen_;  ///< hashes: a false match only drops a row
};

}  // namespace lookalike
