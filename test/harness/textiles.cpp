// Writes drawn textiles as JPEG files with a table of what they are:
//   textiles DIRECTORY [COUNT]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "image/textile.h"

using namespace lookalike;

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY [COUNT]\n", argv[0]);
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    const auto wanted = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : kTextileCount;
    const auto count = static_cast<uint32_t>(std::clamp<unsigned long>(wanted, 1, kTextileCount));
    std::filesystem::create_directories(folder);
    std::ofstream table(folder / "textiles.csv");
    table << "file,design,colourway,season,quality\n";
    for (uint32_t i = 0; i < count; ++i) {
        // Fewer than all are spread over all designs and colourways.
        const auto number = static_cast<uint32_t>(uint64_t{i} * kTextileCount / count);
        TextileSample sample = textile_sample(number);
        const cv::Mat rgb(kTextileSide, kTextileSide, CV_8UC3, sample.rgb.data());
        cv::Mat image;
        cv::cvtColor(rgb, image, cv::COLOR_RGB2BGR);
        const std::string name = "textile-" + std::to_string(number) + ".jpg";
        if (!cv::imwrite((folder / name).string(), image, {cv::IMWRITE_JPEG_QUALITY, 85})) {
            std::fprintf(stderr, "cannot write %s\n", (folder / name).c_str());
            return 1;
        }
        table << name << ',' << sample.design << ',' << sample.colourway << ',' << sample.season
              << ',' << sample.quality << '\n';
    }
    return table.flush() ? 0 : 1;
}
