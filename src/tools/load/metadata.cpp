#include "tools/load/metadata.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_set>

#include "tools/exit_code.h"

namespace lookalike {
namespace {

constexpr size_t kNameBytes = 63;  // what PostgreSQL keeps of one
const std::vector<std::string> kOwnColumns = {"id",    "path",     "sha256",
                                              "photo", "features", "locals"};
constexpr KeyForm kForms[] = {KeyForm::kPath, KeyForm::kName, KeyForm::kStem};

// Of a picture's path, and of a value that stands for one.
std::string key_of_picture(const std::string& relative, KeyForm form) {
    const std::filesystem::path path(relative);
    if (form == KeyForm::kName) return path.filename().string();
    if (form == KeyForm::kStem) return path.stem().string();
    return relative;
}

std::string key_of_value(const std::string& value, KeyForm form) {
    if (form == KeyForm::kName) return value.substr(value.rfind('/') + 1);
    if (form == KeyForm::kPath && value.starts_with("./")) return value.substr(2);
    return value;
}

void append_element(std::string& array, const std::optional<std::string>& value) {
    if (array.size() > 1) array += ',';
    if (!value) {
        array += "NULL";
        return;
    }
    array += '"';
    for (const char c : *value) {
        if (c == '"' || c == '\\') array += '\\';
        array += c;
    }
    array += '"';
}

}  // namespace

std::string column_name(const std::string& original, const std::vector<std::string>& taken) {
    std::string name;
    for (const char c : original) {
        const bool is_upper = c >= 'A' && c <= 'Z';
        const bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0;
        name += is_upper ? static_cast<char>(c - 'A' + 'a') : is_kept ? c : '_';
    }
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name = "_" + name;
    const auto shortened = [&](size_t room) {
        size_t size = std::min(name.size(), kNameBytes - room);
        while (size < name.size() && size > 0 && (name[size] & 0xc0) == 0x80)
            --size;
        return name.substr(0, size);
    };
    std::string unique = shortened(0);
    for (int i = 2; std::ranges::count(kOwnColumns, unique) + std::ranges::count(taken, unique) > 0;
         ++i) {
        const std::string ending = "_" + std::to_string(i);
        unique = shortened(ending.size()) + ending;
    }
    return unique;
}

Metadata::Metadata(MetadataFile file, const PictureFiles& pictures, const std::string& key) {
    std::vector<ColumnTypeGuess> guesses(file.names.size());
    for (const auto& row : file.rows)
        for (size_t i = 0; i < row.size(); ++i)
            if (row[i].text) guesses[i].add(*row[i].text, row[i].source);
    std::vector<std::string> taken;
    for (size_t i = 0; i < file.names.size(); ++i) {
        taken.push_back(column_name(file.names[i], taken));
        columns_.push_back({taken.back(), file.names[i], guesses[i].type()});
    }
    choose_key(file, pictures, key);
    const auto place =
        static_cast<size_t>(std::ranges::find(file.names, key_) - file.names.begin());
    for (auto& row : file.rows) {
        if (place >= row.size() || !row[place].text) continue;
        row.resize(file.names.size());
        std::string array = "{";
        for (const auto& cell : row)
            append_element(array, cell.text);
        rows_.insert_or_assign(key_of_value(*row[place].text, form_), array + "}");
        row = {};
    }
    for (const auto& relative : pictures.relative)
        matched_ += rows_.contains(key_of_picture(relative, form_));
}

void Metadata::choose_key(const MetadataFile& file, const PictureFiles& pictures,
                          const std::string& key) {
    if (!key.empty() && std::ranges::count(file.names, key) == 0)
        throw WrongUse("the metadata have no column \"" + key + "\" (--key)");
    size_t most = 0;
    for (const KeyForm form : kForms) {
        std::unordered_set<std::string> wanted;
        for (const auto& relative : pictures.relative)
            wanted.insert(key_of_picture(relative, form));
        for (size_t i = 0; i < file.names.size(); ++i) {
            if (!key.empty() && file.names[i] != key) continue;
            std::unordered_set<std::string> found;
            for (const auto& row : file.rows)
                if (i < row.size() && row[i].text)
                    if (auto value = key_of_value(*row[i].text, form); wanted.contains(value))
                        found.insert(std::move(value));
            if (found.size() <= most) continue;
            most = found.size();
            key_ = file.names[i];
            form_ = form;
        }
    }
    if (most == 0)
        throw WrongUse(
            "no column of the metadata names the pictures by path, by file name or by "
            "file name without ending: name one with --key, or look at the folder");
}

const std::string& Metadata::values(const std::string& relative) const {
    static const std::string nothing = "{}";
    const auto found = rows_.find(key_of_picture(relative, form_));
    return found == rows_.end() ? nothing : found->second;
}

}  // namespace lookalike
