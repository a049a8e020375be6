#include "image/heif_file.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "image/boxes.h"
#include "image/image.h"

namespace lookalike {
namespace {

using namespace std::string_view_literals;

constexpr uint64_t kVersionAndFlags = 4;

/// Reads one number after the other.
class Reader {
  public:
    explicit Reader(const Bytes& bytes, uint64_t offset = 0) : bytes_(bytes), offset_(offset) {}
    uint64_t number(int bytes) {
        const uint64_t value = bytes_.big_endian(offset_, bytes);
        offset_ += bytes;
        return value;
    }
    uint32_t number32(int bytes) { return static_cast<uint32_t>(number(bytes)); }
    void skip(uint64_t bytes) {
        bytes_.part(offset_, bytes);
        offset_ += bytes;
    }
    Bytes rest() const { return bytes_.from(offset_); }

  private:
    Bytes bytes_;
    uint64_t offset_;
};

std::string name_of(uint32_t type) {
    std::string name;
    for (int shift = 24; shift >= 0; shift -= 8) {
        const auto letter = static_cast<char>(type >> shift);
        name += letter >= ' ' && letter <= '~' && letter != '"' ? letter : '?';
    }
    return name;
}

[[noreturn]] void fail_unsupported(const std::string& what) {
    throw ImageError(ImageFault::kUnsupportedFormat, what + " are not supported");
}

/// A grid has up to 65,536 tiles; a telephone's picture has a few hundred items.
void check_item_count(size_t count) {
    constexpr size_t kMaxItems = 100'000;
    if (count <= kMaxItems) return;
    throw ImageError(ImageFault::kTooLarge, "HEIF image is too large, at most " +
                                                std::to_string(kMaxItems) + " items are allowed");
}

int length_bytes(uint32_t fields, int index) {
    const int bytes = fields >> (12 - 4 * index) & 15;
    if (bytes != 0 && bytes != 4 && bytes != 8) throw BytesEnd{};
    return bytes;
}

/// Turns and mirrors in sequence, as one of EXIF's eight.
class Orientation {
  public:
    void turn_left() {
        // To exchange rows and columns now, or before what has been done, swaps what is mirrored.
        std::swap(from_right_, from_bottom_);
        is_turned_ = !is_turned_;
        from_bottom_ = !from_bottom_;
    }
    void mirror_columns() { from_right_ = !from_right_; }
    void mirror_rows() { from_bottom_ = !from_bottom_; }
    int exif() const {
        constexpr int kNumbers[2][2][2] = {{{1, 4}, {2, 3}}, {{5, 8}, {6, 7}}};
        return kNumbers[is_turned_][from_right_][from_bottom_];
    }

  private:
    bool is_turned_ = false, from_right_ = false, from_bottom_ = false;
};

bool is_alpha(const Bytes& auxiliary_type) {
    const Bytes name = auxiliary_type.from(kVersionAndFlags);
    return name.starts_with("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"sv) ||
           name.starts_with("urn:mpeg:hevc:2015:auxid:1\0"sv);
}

}  // namespace

HeifFile::HeifFile(const Bytes& file) : file_(file) {
    bool has_meta = false, has_movie = false;
    read_boxes(file, [&](uint32_t type, const Bytes& content) {
        has_movie |= type == four_cc("moov");
        if (type != four_cc("meta") || has_meta) return;
        has_meta = true;
        read_meta(content.from(kVersionAndFlags));
    });
    if (!has_meta && has_movie) fail_unsupported("image sequences without a still image");
    if (!has_meta) throw BytesEnd{};
    colours_ = read_layer(primary_);
    find_alpha();
    read_transforms();
}

void HeifFile::read_meta(const Bytes& meta) {
    read_boxes(meta, [&](uint32_t type, const Bytes& box) {
        switch (type) {
            case four_cc("pitm"):
                primary_ = Reader(box, kVersionAndFlags).number32(box.u8(0) == 0 ? 2 : 4);
                return;
            case four_cc("iinf"):
                return read_item_types(box);
            case four_cc("iref"):
                return read_references(box);
            case four_cc("iprp"):
                return read_properties(box);
            case four_cc("iloc"):
                return read_locations(box);
            case four_cc("idat"):
                inline_data_ = box;
                return;
            default:
                return;
        }
    });
}

void HeifFile::read_item_types(const Bytes& box) {
    read_boxes(box.from(box.u8(0) == 0 ? 6 : 8), [&](uint32_t type, const Bytes& entry) {
        // Versions 0 and 1 have no type: they are no images.
        const uint8_t version = entry.u8(0);
        if (type != four_cc("infe") || version < 2) return;
        Reader reader(entry, kVersionAndFlags);
        const uint32_t item = reader.number32(version == 2 ? 2 : 4);
        reader.skip(2);
        types_.emplace(item, reader.number32(4));
        check_item_count(types_.size());
    });
}

void HeifFile::read_references(const Bytes& box) {
    const int id_bytes = box.u8(0) == 0 ? 2 : 4;
    read_boxes(box.from(kVersionAndFlags), [&](uint32_t type, const Bytes& entry) {
        Reader reader(entry);
        Reference reference{.type = type, .from = reader.number32(id_bytes), .to = {}};
        for (uint64_t count = reader.number(2); count > 0; --count) {
            reference.to.push_back(reader.number32(id_bytes));
        }
        references_.push_back(std::move(reference));
    });
}

void HeifFile::read_properties(const Bytes& box) {
    read_boxes(box, [&](uint32_t type, const Bytes& content) {
        if (type == four_cc("ipma")) return read_associations(content);
        if (type != four_cc("ipco")) return;
        read_boxes(content, [&](uint32_t name, const Bytes& property) {
            properties_.push_back({name, property});
        });
    });
}

void HeifFile::read_associations(const Bytes& box) {
    const int id_bytes = box.u8(0) == 0 ? 2 : 4;
    const bool is_wide = (box.u8(3) & 1) != 0;
    Reader reader(box, kVersionAndFlags);
    for (uint64_t count = reader.number(4); count > 0; --count) {
        std::vector<uint16_t>& properties = properties_of_[reader.number32(id_bytes)];
        check_item_count(properties_of_.size());
        for (uint64_t i = reader.number(1); i > 0; --i) {
            // The top bit says that who does not know the property must not show the image.
            const uint32_t index = reader.number32(is_wide ? 2 : 1) & (is_wide ? 0x7fff : 0x7f);
            if (index > 0) properties.push_back(static_cast<uint16_t>(index - 1));
        }
        if (properties.size() > UINT8_MAX) throw BytesEnd{};
    }
}

void HeifFile::read_locations(const Bytes& box) {
    locations_version_ = box.u8(0);
    if (locations_version_ > 2) throw BytesEnd{};
    Reader reader(box, kVersionAndFlags);
    field_bytes_ = reader.number32(2);
    const int extent_bytes = length_bytes(field_bytes_, 0) + length_bytes(field_bytes_, 1) +
                             (locations_version_ > 0 ? length_bytes(field_bytes_, 3) : 0);
    const int id_bytes = locations_version_ < 2 ? 2 : 4;
    for (uint64_t count = reader.number(id_bytes); count > 0; --count) {
        const uint32_t item = reader.number32(id_bytes);
        locations_.emplace(item, reader.rest());
        check_item_count(locations_.size());
        reader.skip((locations_version_ > 0 ? 2 : 0) + 2 + length_bytes(field_bytes_, 2));
        reader.skip(reader.number(2) * extent_bytes);
    }
}

std::vector<Bytes> HeifFile::data_of(uint32_t item) const {
    const auto location = locations_.find(item);
    if (location == locations_.end()) throw BytesEnd{};
    Reader reader(location->second);
    constexpr uint64_t kInFile = 0, kInline = 1;
    const uint64_t method = locations_version_ > 0 ? reader.number(2) & 15 : kInFile;
    const uint64_t other_file = reader.number(2);
    if (method > kInline || other_file != 0) {
        fail_unsupported("HEIF images whose data lie elsewhere");
    }
    const Bytes& whole = method == kInline ? inline_data_ : file_;
    const uint64_t base = reader.number(length_bytes(field_bytes_, 2));
    std::vector<Bytes> pieces;
    uint64_t total_bytes = 0;
    for (uint64_t count = reader.number(2); count > 0; --count) {
        if (locations_version_ > 0) reader.skip(length_bytes(field_bytes_, 3));
        const uint64_t offset = reader.number(length_bytes(field_bytes_, 0));
        const Bytes rest = whole.from(base).from(offset);
        const uint64_t length = reader.number(length_bytes(field_bytes_, 1));
        pieces.push_back(length == 0 ? rest : rest.part(0, length));
        // An item is no longer than its file, however often it names the same bytes.
        total_bytes += pieces.back().size();
        if (pieces.back().size() == 0 || total_bytes > file_.size()) throw BytesEnd{};
    }
    return pieces;
}

uint32_t HeifFile::type_of(uint32_t item) const {
    const auto type = types_.find(item);
    if (type == types_.end()) throw BytesEnd{};
    return type->second;
}

const HeifFile::Property* HeifFile::property(uint32_t item, uint32_t type) const {
    const auto properties = properties_of_.find(item);
    if (properties == properties_of_.end()) return nullptr;
    for (const uint16_t index : properties->second) {
        if (index >= properties_.size()) throw BytesEnd{};
        if (properties_[index].type == type) return &properties_[index];
    }
    return nullptr;
}

const std::vector<uint32_t>* HeifFile::references(uint32_t item, uint32_t type) const {
    const auto found = std::ranges::find_if(references_, [&](const Reference& reference) {
        return reference.from == item && reference.type == type;
    });
    return found == references_.end() ? nullptr : &found->to;
}

HeifTile HeifFile::read_tile(uint32_t item) const {
    const bool is_hevc = type_of(item) != four_cc("av01");
    const Property* config = property(item, is_hevc ? four_cc("hvcC") : four_cc("av1C"));
    const Property* size = property(item, four_cc("ispe"));
    if (!config || !size) throw BytesEnd{};
    const Property* operating_point = property(item, four_cc("a1op"));
    return {.item = item,
            .width = static_cast<uint32_t>(size->content.big_endian(kVersionAndFlags, 4)),
            .height = static_cast<uint32_t>(size->content.big_endian(kVersionAndFlags + 4, 4)),
            .config = config->content,
            .operating_point = operating_point ? operating_point->content.u8(0) & 31 : 0};
}

HeifLayer HeifFile::read_layer(uint32_t item) const {
    const auto codec_of = [](uint32_t type) -> std::optional<HeifCodec> {
        if (type == four_cc("av01")) return HeifCodec::kAv1;
        if (type == four_cc("hvc1") || type == four_cc("hev1")) return HeifCodec::kHevc;
        return {};
    };
    HeifLayer layer = {};
    uint32_t coded = item;
    const bool is_grid = type_of(item) == four_cc("grid");
    if (is_grid) {
        const auto* tiles = references(item, four_cc("dimg"));
        if (!tiles || tiles->empty()) throw BytesEnd{};
        coded = tiles->front();
    }
    const std::optional<HeifCodec> codec = codec_of(type_of(coded));
    if (!codec) fail_unsupported("HEIF images of kind \"" + name_of(type_of(coded)) + "\"");
    layer.codec = *codec;
    if (is_grid) {
        read_grid(item, layer);
    } else {
        layer.tiles.push_back(read_tile(item));
        layer.width = layer.tiles[0].width;
        layer.height = layer.tiles[0].height;
    }
    const Property* colour = property(item, four_cc("colr"));
    if (!colour) colour = property(coded, four_cc("colr"));
    if (colour && colour->content.starts_with("nclx"sv)) {
        layer.colour = {.primaries = static_cast<uint32_t>(colour->content.big_endian(4, 2)),
                        .matrix = static_cast<uint32_t>(colour->content.big_endian(8, 2)),
                        .is_full_range = (colour->content.u8(10) & 0x80) != 0};
    }
    return layer;
}

void HeifFile::read_grid(uint32_t item, HeifLayer& layer) const {
    const std::vector<Bytes> pieces = data_of(item);
    if (pieces.size() != 1) throw BytesEnd{};
    const int size_bytes = (pieces[0].u8(1) & 1) != 0 ? 4 : 2;
    Reader reader(pieces[0], 2);
    const uint32_t rows = reader.number32(1) + 1;
    layer.columns = reader.number32(1) + 1;
    layer.width = reader.number32(size_bytes);
    layer.height = reader.number32(size_bytes);
    const auto* tiles = references(item, four_cc("dimg"));
    if (!tiles || tiles->size() != uint64_t{rows} * layer.columns) throw BytesEnd{};
    for (const uint32_t tile : *tiles) {
        if (type_of(tile) != type_of(tiles->front())) throw BytesEnd{};
        layer.tiles.push_back(read_tile(tile));
        if (layer.tiles.back().width != layer.tiles[0].width ||
            layer.tiles.back().height != layer.tiles[0].height)
            throw BytesEnd{};
    }
    // They cover the picture, and each is needed.
    const auto fits = [](uint64_t count, uint64_t tile, uint64_t whole) {
        return count * tile >= whole && (count - 1) * tile < whole;
    };
    if (!fits(layer.columns, layer.tiles[0].width, layer.width) ||
        !fits(rows, layer.tiles[0].height, layer.height))
        throw BytesEnd{};
}

void HeifFile::find_alpha() {
    for (const Reference& reference : references_) {
        if (reference.type != four_cc("auxl") ||
            std::ranges::find(reference.to, primary_) == reference.to.end())
            continue;
        const Property* kind = property(reference.from, four_cc("auxC"));
        if (!kind || !is_alpha(kind->content)) continue;
        alpha_ = read_layer(reference.from);
        const auto* premultiplied = references(primary_, four_cc("prem"));
        is_premultiplied_ =
            premultiplied != nullptr &&
            std::ranges::find(*premultiplied, reference.from) != premultiplied->end();
        return;
    }
}

void HeifFile::read_transforms() {
    crop_ = {0, 0, colours_.width, colours_.height};
    Orientation orientation;
    for (const uint16_t index : properties_of_[primary_]) {
        if (index >= properties_.size()) throw BytesEnd{};
        const auto& [type, content] = properties_[index];
        if (type == four_cc("irot")) {
            for (int turns = content.u8(0) & 3; turns > 0; --turns) {
                orientation.turn_left();
            }
        } else if (type == four_cc("imir")) {
            (content.u8(0) & 1) != 0 ? orientation.mirror_columns() : orientation.mirror_rows();
        } else if (type == four_cc("clap")) {
            if (orientation.exif() != 1)
                fail_unsupported("HEIF images that are turned, then cropped");
            apply_crop(content);
        }
    }
    orientation_ = orientation.exif();
}

void HeifFile::apply_crop(const Bytes& clap) {
    const auto fraction = [&clap](int index) {
        const auto numerator = static_cast<int32_t>(clap.big_endian(8 * index, 4));
        const auto denominator = static_cast<uint32_t>(clap.big_endian(8 * index + 4, 4));
        if (denominator == 0) throw BytesEnd{};
        return static_cast<double>(numerator) / denominator;
    };
    const double width = fraction(0), height = fraction(1);
    // The offset of the crop's centre from that of the picture.
    const double left = fraction(2) + (crop_.width - width) / 2;
    const double top = fraction(3) + (crop_.height - height) / 2;
    if (!(width >= 1 && height >= 1 && left > -1 && top > -1 && left + width < crop_.width + 1.0 &&
          top + height < crop_.height + 1.0))
        throw BytesEnd{};
    const auto whole = [](double value) {
        return static_cast<uint32_t>(std::max(0.0, std::round(value)));
    };
    const uint32_t from_left = std::min(whole(left), crop_.width - 1);
    const uint32_t from_top = std::min(whole(top), crop_.height - 1);
    crop_ = {from_left, from_top, std::min(whole(width), crop_.width - from_left),
             std::min(whole(height), crop_.height - from_top)};
}

bool HeifFile::is_grey() const {
    const Bytes& config = colours_.tiles[0].config;
    return colours_.codec == HeifCodec::kHevc ? (config.u8(16) & 3) == 0
                                              : (config.u8(2) & 0x10) != 0;
}

}  // namespace lookalike
