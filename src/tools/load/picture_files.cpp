#include "tools/load/picture_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "tools/exit_code.h"

namespace lookalike {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 20> kEndings = {
    ".jpg", ".jpeg", ".jpe", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp",
    ".tif", ".tiff", ".pbm", ".pgm", ".ppm",  ".pnm",  ".jp2",  ".j2k",  ".jpc", ".jpx"};

bool is_picture(const fs::path& path) {
    std::string ending = path.extension().string();
    for (char& c : ending)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return std::ranges::count(kEndings, ending) > 0;
}

void walk(const fs::path& folder, PictureFiles& files) {
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        std::error_code ignored;
        if (entries->is_directory(ignored) && !entries->is_symlink(ignored))
            walk(entries->path(), files);
        else if (is_picture(entries->path()) && entries->is_regular_file(ignored))
            files.relative.push_back(entries->path().lexically_relative(files.root).string());
    }
    if (error) files.failures.push_back({folder.string(), error.message()});
}

}  // namespace

PictureFiles find_pictures(const std::string& folder) {
    std::error_code error;
    PictureFiles files;
    files.root = fs::canonical(folder, error);
    if (error) throw WrongUse("cannot read the folder \"" + folder + "\": " + error.message());
    if (!fs::is_directory(files.root)) throw WrongUse("\"" + folder + "\" is not a folder");
    walk(files.root, files);
    std::ranges::sort(files.relative);
    return files;
}

std::string read_file(const std::string& path, size_t limit_bytes) {
    std::error_code error;
    const auto size = fs::file_size(path, error);
    if (error) throw std::runtime_error(error.message());
    const auto check = [&](size_t bytes) {
        if (bytes > limit_bytes)
            throw std::runtime_error("the file is larger than " +
                                     std::to_string(limit_bytes >> 20) + " MB");
    };
    check(size);
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::runtime_error(std::generic_category().message(errno));
    // It may grow or shrink while it is read.
    std::string content(size + 1, '\0');
    in.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (in.bad()) throw std::runtime_error("could not be read");
    if (!in.eof()) throw std::runtime_error("the file grows: load it again");
    content.resize(static_cast<size_t>(in.gcount()));
    return content;
}

}  // namespace lookalike
