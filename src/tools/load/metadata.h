// What a table of metadata says of pictures: columns, and a row for each picture that it names.
#pragma once

#include <cstdint>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <unordered_map>
#include <vector>

#include "tools/load/column_type.h"
#include "tools/load/picture_files.h"

namespace lookalike {

struct MetadataCell {
    std::optional<std::string> text;
    ValueSource source = ValueSource::kPlain;
};

/// As the file has it.
struct MetadataFile {
    std::vector<std::string> names;
    std::vector<std::vector<MetadataCell>> rows;  ///< short rows lack their last columns
};

/// By the file's ending: csv, tsv, json or jsonl. The server parses JSON. Throws WrongUse.
MetadataFile read_metadata(pqxx::transaction_base& work, const std::string& path);

struct MetadataColumn {
    std::string name;      ///< lower case, of letters, digits and "_"
    std::string original;  ///< in the file
    std::string type;
};

/// How a value of the key column names a picture.
enum class KeyForm { kPath, kName, kStem };

class Metadata {
  public:
    Metadata() = default;
    /// `key` empty: the column that names most of the pictures. Throws WrongUse when none names
    /// any.
    Metadata(MetadataFile file, const PictureFiles& pictures, const std::string& key);

    const std::vector<MetadataColumn>& columns() const { return columns_; }
    const std::string& key() const { return key_; }
    size_t matched() const { return matched_; }  ///< pictures that have a row

    /// An array of text in SQL's form, a value for each column; "{}" for a picture without a row.
    const std::string& values(const std::string& relative) const;

  private:
    void choose_key(const MetadataFile& file, const PictureFiles& pictures, const std::string& key);

    std::vector<MetadataColumn> columns_;
    std::string key_;
    KeyForm form_ = KeyForm::kPath;
    size_t matched_ = 0;
    std::unordered_map<std::string, std::string> rows_;  ///< by the key
};

/// A name that SQL takes without quotes (but for letters beyond ASCII), none of `taken`.
std::string column_name(const std::string& original, const std::vector<std::string>& taken);

}  // namespace lookalike
