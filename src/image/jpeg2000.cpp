// OpenCV refuses what is not three or four equal channels of 8 to 16 bits from 0 on, so OpenJPEG,
// which it uses too, is used directly.
#include "image/jpeg2000.h"

#include <openjpeg.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <opencv2/imgproc.hpp>
#include <string_view>
#include <vector>

#include "image/yuv.h"

namespace lookalike {
namespace {

template <auto kFunction>
struct Call {
    template <typename Type>
    void operator()(Type* object) const {
        kFunction(object);
    }
};
using Stream = std::unique_ptr<opj_stream_t, Call<opj_stream_destroy>>;
using Codec = std::unique_ptr<opj_codec_t, Call<opj_destroy_codec>>;
using Image = std::unique_ptr<opj_image_t, Call<opj_image_destroy>>;

struct Source {
    std::span<const uint8_t> bytes;
    size_t place = 0;
};

OPJ_SIZE_T read(void* to, OPJ_SIZE_T count, void* data) {
    auto& source = *static_cast<Source*>(data);
    const size_t given = std::min<size_t>(count, source.bytes.size() - source.place);
    if (given == 0) return static_cast<OPJ_SIZE_T>(-1);
    std::memcpy(to, source.bytes.data() + source.place, given);
    source.place += given;
    return given;
}

OPJ_BOOL seek(OPJ_OFF_T place, void* data) {
    auto& source = *static_cast<Source*>(data);
    if (place < 0 || static_cast<uint64_t>(place) > source.bytes.size()) return OPJ_FALSE;
    source.place = static_cast<size_t>(place);
    return OPJ_TRUE;
}

OPJ_OFF_T skip(OPJ_OFF_T count, void* data) {
    const auto& source = *static_cast<Source*>(data);
    return seek(static_cast<OPJ_OFF_T>(source.place) + count, data) ? count : -1;
}

Stream open_stream(Source& source) {
    Stream stream(opj_stream_default_create(OPJ_TRUE));
    if (!stream) throw std::bad_alloc();
    opj_stream_set_user_data(stream.get(), &source, nullptr);
    opj_stream_set_user_data_length(stream.get(), source.bytes.size());
    opj_stream_set_read_function(stream.get(), read);
    opj_stream_set_skip_function(stream.get(), skip);
    opj_stream_set_seek_function(stream.get(), seek);
    return stream;
}

Image decode(const Bytes& file) {
    Source source{file.span()};
    const Stream stream = open_stream(source);
    const bool is_bare = file.u8(0) == 0xff;
    const Codec codec(opj_create_decompress(is_bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2));
    if (!codec) throw std::bad_alloc();
    // Its messages alone tell a lack of memory from damage.
    bool lacks_memory = false;
    const auto listen = [](const char* message, void* flag) {
        if (std::string_view(message).find("memory") != std::string_view::npos)
            *static_cast<bool*>(flag) = true;
    };
    opj_set_error_handler(codec.get(), listen, &lacks_memory);
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    opj_image_t* made = nullptr;
    const bool has_header = opj_setup_decoder(codec.get(), &parameters) &&
                            opj_read_header(stream.get(), codec.get(), &made);
    Image image(made);
    const bool is_decoded = has_header && opj_decode(codec.get(), stream.get(), image.get()) &&
                            opj_end_decompress(codec.get(), stream.get());
    if (lacks_memory) throw std::bad_alloc();
    if (!is_decoded) throw BytesEnd{};
    return image;
}

/// A channel as large as the picture, its samples from 0 to 255.
cv::Mat channel_of(const opj_image_comp_t& channel, cv::Size size) {
    if (!channel.data || channel.w == 0 || channel.h == 0 || channel.prec == 0 || channel.prec > 31)
        throw BytesEnd{};
    const float scale = 255 / (std::ldexp(1.0f, static_cast<int>(channel.prec)) - 1);
    const float zero = channel.sgnd ? std::ldexp(1.0f, static_cast<int>(channel.prec) - 1) : 0;
    const cv::Mat stored(static_cast<int>(channel.h), static_cast<int>(channel.w), CV_32S,
                         channel.data);
    cv::Mat out;
    // Rounds, and keeps what is beyond black and white there.
    stored.convertTo(out, CV_8U, scale, zero * scale);
    if (out.size() == size) return out;
    cv::Mat enlarged;
    cv::resize(out, enlarged, size, 0, 0, cv::INTER_NEAREST);
    return enlarged;
}

cv::Mat from_cmyk(const std::vector<cv::Mat>& channels) {
    std::vector<cv::Mat> bgr;
    const cv::Mat light = 255 - channels[3];
    for (const int ink : {2, 1, 0}) {
        bgr.emplace_back(cv::Mat(255 - channels[ink]).mul(light, 1 / 255.0));
    }
    cv::Mat out;
    cv::merge(bgr, out);
    return out;
}

cv::Mat from_yuv(const std::vector<cv::Mat>& channels) {
    YuvPicture picture = {.planes = {},
                          .row_bytes = {},
                          .width = channels[0].cols,
                          .height = channels[0].rows,
                          .chroma_shift_x = 0,
                          .chroma_shift_y = 0,
                          .bits = 8,
                          .is_grey = false,
                          .colour = {.primaries = 0, .matrix = 0, .is_full_range = true}};
    constexpr uint32_t kBt601 = 6;
    picture.colour.matrix = kBt601;
    for (int plane = 0; plane < 3; ++plane) {
        picture.planes[plane] = channels[plane].data;
        picture.row_bytes[plane] = static_cast<ptrdiff_t>(channels[plane].step);
    }
    cv::Mat out(channels[0].size(), CV_8UC3);
    write_bgr(picture, out);
    return out;
}

bool is_subsampled(const opj_image_comp_t& channel, const opj_image_comp_t& other) {
    return channel.dx != other.dx || channel.dy != other.dy;
}

cv::Mat colours_of(const opj_image_t& image, const std::vector<cv::Mat>& channels) {
    cv::Mat out;
    if (image.color_space == OPJ_CLRSPC_CMYK && channels.size() == 4) return from_cmyk(channels);
    if (channels.size() < 3) {
        cv::merge(std::vector<cv::Mat>(3, channels[0]), out);
        return out;
    }
    // Whoever stores less of the second and third channel means chroma, also where he says nothing.
    if (image.color_space == OPJ_CLRSPC_SYCC || image.color_space == OPJ_CLRSPC_EYCC ||
        is_subsampled(image.comps[1], image.comps[0]))
        return from_yuv(channels);
    cv::merge(std::vector<cv::Mat>{channels[2], channels[1], channels[0]}, out);
    return out;
}

}  // namespace

cv::Mat decode_jpeg2000(const Bytes& file) {
    const Image image = decode(file);
    if (image->numcomps == 0 || image->x1 <= image->x0 || image->y1 <= image->y0) throw BytesEnd{};
    const cv::Size size(static_cast<int>(image->x1 - image->x0),
                        static_cast<int>(image->y1 - image->y0));
    std::vector<cv::Mat> channels;
    for (uint32_t i = 0; i < image->numcomps; ++i) {
        channels.push_back(channel_of(image->comps[i], size));
    }
    const cv::Mat colours = colours_of(*image, channels);
    const bool has_alpha = (channels.size() == 2 || channels.size() == 4) &&
                           image->comps[channels.size() - 1].alpha != 0;
    if (!has_alpha) return colours;
    cv::Mat both;
    cv::merge(std::vector<cv::Mat>{colours, channels.back()}, both);
    return both;
}

}  // namespace lookalike
