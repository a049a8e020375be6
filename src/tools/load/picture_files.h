// The pictures below a folder, and what they hold.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lookalike {

struct FileFailure {
    std::string path;
    std::string reason;
};

struct PictureFiles {
    std::filesystem::path root;         ///< absolute, without links
    std::vector<std::string> relative;  ///< to the root, sorted
    std::vector<FileFailure> failures;  ///< folders that cannot be read

    std::string absolute(size_t i) const { return (root / relative[i]).string(); }
};

/// Regular files with the ending of a picture. Links to folders are not followed.
/// Throws WrongUse when the folder itself cannot be read.
PictureFiles find_pictures(const std::string& folder);

/// Throws std::runtime_error, with the reason alone, also for a file above `limit_bytes`.
std::string read_file(const std::string& path, size_t limit_bytes);

}  // namespace lookalike
