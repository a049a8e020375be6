#include "image/heif.h"

#include <algorithm>
#include <functional>

#include "image/av1.h"
#include "image/heif_file.h"
#include "image/hevc.h"

namespace lookalike {
namespace {

using Write = void (*)(YuvPicture, const HeifLayer&, cv::Mat);

void write_colours(YuvPicture picture, const HeifLayer& layer, cv::Mat out) {
    if (layer.colour) picture.colour = *layer.colour;
    write_bgr(picture, out);
}

void write_alpha(YuvPicture picture, const HeifLayer& layer, cv::Mat out) {
    // What HEVC says of its range does not hold for alpha, which takes all of it.
    if (layer.codec == HeifCodec::kHevc) picture.colour.is_full_range = true;
    write_grey(picture, out);
}

/// Decodes each tile into its place.
void decode_layer(const HeifFile& file, const HeifLayer& layer, uint64_t max_pixels, Write write,
                  cv::Mat& out) {
    const cv::Size tile_size(static_cast<int>(layer.tiles[0].width),
                             static_cast<int>(layer.tiles[0].height));
    for (size_t i = 0; i < layer.tiles.size(); ++i) {
        const HeifTile& tile = layer.tiles[i];
        const cv::Point corner(static_cast<int>(i % layer.columns) * tile_size.width,
                               static_cast<int>(i / layer.columns) * tile_size.height);
        const cv::Rect place = cv::Rect(corner, tile_size) & cv::Rect({}, out.size());
        const auto use = [&](const YuvPicture& picture) {
            if (picture.width < tile_size.width || picture.height < tile_size.height)
                throw BytesEnd{};
            write(picture, layer, out(place));
        };
        const std::vector<Bytes> data = file.data_of(tile.item);
        if (layer.codec == HeifCodec::kHevc)
            decode_hevc(tile.config, data, max_pixels, use);
        else
            decode_av1(data, tile.operating_point, max_pixels, use);
    }
}

cv::Mat with_alpha(const cv::Mat& colours, const cv::Mat& alpha, bool is_premultiplied) {
    cv::Mat both;
    cv::merge(std::vector<cv::Mat>{colours, alpha}, both);
    if (!is_premultiplied) return both;
    for (int y = 0; y < both.rows; ++y) {
        auto* row = both.ptr<cv::Vec4b>(y);
        for (int x = 0; x < both.cols; ++x) {
            const int opacity = std::max<int>(row[x][3], 1);
            for (int channel = 0; channel < 3; ++channel) {
                row[x][channel] = static_cast<uint8_t>(
                    std::min(255, (row[x][channel] * 255 + opacity / 2) / opacity));
            }
        }
    }
    return both;
}

cv::Mat empty_mat(const HeifLayer& layer, int type) {
    return cv::Mat(static_cast<int>(layer.height), static_cast<int>(layer.width), type);
}

}  // namespace

cv::Mat decode_heif(const Bytes& bytes, uint64_t max_pixels) {
    const HeifFile file(bytes);
    cv::Mat image = empty_mat(file.colours(), CV_8UC3);
    decode_layer(file, file.colours(), max_pixels, write_colours, image);
    if (file.alpha()) {
        cv::Mat alpha = empty_mat(*file.alpha(), CV_8U);
        if (alpha.size() != image.size()) throw BytesEnd{};
        decode_layer(file, *file.alpha(), max_pixels, write_alpha, alpha);
        image = with_alpha(image, alpha, file.is_premultiplied());
    }
    const HeifCrop& crop = file.crop();
    return image(cv::Rect(static_cast<int>(crop.left), static_cast<int>(crop.top),
                          static_cast<int>(crop.width), static_cast<int>(crop.height)));
}

}  // namespace lookalike
