#include "image/av1.h"

#include <dav1d/dav1d.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>

namespace lookalike {
namespace {

struct Close {
    void operator()(Dav1dContext* context) const { dav1d_close(&context); }
};
using Decoder = std::unique_ptr<Dav1dContext, Close>;

void check(int result) {
    if (result == DAV1D_ERR(ENOMEM)) throw std::bad_alloc();
    if (result < 0 && result != DAV1D_ERR(EAGAIN)) throw BytesEnd{};
}

Decoder open_decoder(int operating_point, uint64_t max_pixels) {
    Dav1dSettings settings;
    dav1d_default_settings(&settings);
    // The caller's thread alone: a sandboxed process may not have another.
    settings.n_threads = 1;
    settings.max_frame_delay = 1;
    settings.all_layers = 0;
    settings.operating_point = operating_point;
    settings.frame_size_limit = static_cast<unsigned>(std::min<uint64_t>(max_pixels, UINT32_MAX));
    settings.logger = {};
    Dav1dContext* context = nullptr;
    check(dav1d_open(&context, &settings));
    return Decoder(context);
}

class Data {
  public:
    explicit Data(const std::vector<Bytes>& pieces) {
        size_t byte_count = 0;
        for (const Bytes& piece : pieces) {
            byte_count += piece.size();
        }
        uint8_t* to = dav1d_data_create(&data_, byte_count);
        if (!to) throw std::bad_alloc();
        for (const Bytes& piece : pieces) {
            to = std::copy(piece.span().begin(), piece.span().end(), to);
        }
    }
    ~Data() { dav1d_data_unref(&data_); }
    Data(const Data&) = delete;
    Data& operator=(const Data&) = delete;

    Dav1dData* get() { return &data_; }
    bool is_sent() const { return data_.sz == 0; }

  private:
    Dav1dData data_ = {};
};

struct Picture : Dav1dPicture {
    Picture() : Dav1dPicture() {}
    ~Picture() { dav1d_picture_unref(this); }
    Picture(const Picture&) = delete;
    Picture& operator=(const Picture&) = delete;
};

void decode_first(Dav1dContext* decoder, Data& data, Picture& picture) {
    bool was_sent = false;
    while (picture.data[0] == nullptr) {
        if (!data.is_sent()) check(dav1d_send_data(decoder, data.get()));
        const int result = dav1d_get_picture(decoder, &picture);
        check(result);
        // Once all has been sent, it is asked twice: the second time brings what it held back.
        if (result < 0 && was_sent) throw BytesEnd{};
        was_sent = data.is_sent();
    }
}

YuvPicture as_yuv(const Picture& picture) {
    const Dav1dPixelLayout layout = picture.p.layout;
    const Dav1dSequenceHeader& sequence = *picture.seq_hdr;
    YuvPicture yuv = {.planes = {},
                      .row_bytes = {picture.stride[0], picture.stride[1], picture.stride[1]},
                      .width = picture.p.w,
                      .height = picture.p.h,
                      .chroma_shift_x = layout == DAV1D_PIXEL_LAYOUT_I444 ? 0 : 1,
                      .chroma_shift_y = layout == DAV1D_PIXEL_LAYOUT_I420 ? 1 : 0,
                      .bits = picture.p.bpc,
                      .is_grey = layout == DAV1D_PIXEL_LAYOUT_I400,
                      .colour = {.primaries = static_cast<uint32_t>(sequence.pri),
                                 .matrix = static_cast<uint32_t>(sequence.mtrx),
                                 .is_full_range = sequence.color_range != 0}};
    for (int plane = 0; plane < 3; ++plane) {
        yuv.planes[plane] = static_cast<const uint8_t*>(picture.data[plane]);
    }
    return yuv;
}

}  // namespace

void decode_av1(const std::vector<Bytes>& data, int operating_point, uint64_t max_pixels,
                const std::function<void(const YuvPicture&)>& use) {
    const Decoder decoder = open_decoder(operating_point, max_pixels);
    Data sent(data);
    Picture picture;
    decode_first(decoder.get(), sent, picture);
    use(as_yuv(picture));
}

}  // namespace lookalike
