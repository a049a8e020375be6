// The boxes of a HEIF file, in which telephones store pictures: HEIC when HEVC codes them, AVIF
// when AV1 does. Finds the primary picture, the tiles that it is made of, its alpha channel and how
// it is to be shown. Decodes nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "image/bytes.h"

namespace lookalike {

enum class HeifCodec { kHevc, kAv1 };

/// How samples become red, green and blue, by the numbers of ISO/IEC 23091-2.
struct YuvColour {
    uint32_t primaries;
    uint32_t matrix;
    bool is_full_range;
};

/// What the decoder makes of one coded item.
struct HeifTile {
    uint32_t item;
    uint32_t width;
    uint32_t height;
    Bytes config;             ///< the content of its box hvcC or av1C
    int operating_point = 0;  ///< AV1: which of several qualities or sizes is meant
};

/// A picture of one kind of samples: its colours or its alpha channel.
struct HeifLayer {
    HeifCodec codec;
    uint32_t width;
    uint32_t height;
    uint32_t columns = 1;
    std::vector<HeifTile>
        tiles;  ///< row by row, all of one size; those at the edges may reach beyond
    std::optional<YuvColour> colour;  ///< none: the coded picture knows
};

struct HeifCrop {
    uint32_t left, top, width, height;
};

/// Throws BytesEnd for files that are damaged or cut off, ImageError for kinds that are not read.
class HeifFile {
  public:
    /// REQUIRES: `file` outlives this.
    explicit HeifFile(const Bytes& file);

    const HeifLayer& colours() const { return colours_; }
    const std::optional<HeifLayer>& alpha() const { return alpha_; }
    bool is_premultiplied() const { return is_premultiplied_; }  ///< with alpha
    const HeifCrop& crop() const { return crop_; }               ///< what of it is shown
    int orientation() const { return orientation_; }  ///< by EXIF's numbers, after the crop
    bool is_grey() const;

    /// The bytes of an item, in pieces that follow each other. REQUIRES: a tile's item.
    std::vector<Bytes> data_of(uint32_t item) const;

  private:
    struct Property {
        uint32_t type;
        Bytes content;
    };
    struct Reference {
        uint32_t type, from;
        std::vector<uint32_t> to;
    };

    void read_meta(const Bytes& meta);
    void read_item_types(const Bytes& box);
    void read_references(const Bytes& box);
    void read_properties(const Bytes& box);
    void read_associations(const Bytes& box);
    void read_locations(const Bytes& box);

    uint32_t type_of(uint32_t item) const;
    const Property* property(uint32_t item, uint32_t type) const;
    const std::vector<uint32_t>* references(uint32_t item, uint32_t type) const;
    HeifTile read_tile(uint32_t item) const;
    HeifLayer read_layer(uint32_t item) const;
    void read_grid(uint32_t item, HeifLayer& layer) const;
    void find_alpha();
    void read_transforms();
    void apply_crop(const Bytes& clap);

    Bytes file_;
    Bytes inline_data_{{}};
    uint32_t primary_ = 0;
    std::map<uint32_t, uint32_t> types_;
    std::vector<Reference> references_;
    std::vector<Property> properties_;
    std::map<uint32_t, std::vector<uint16_t>> properties_of_;
    std::map<uint32_t, Bytes> locations_;  ///< from an item's entry on
    uint32_t locations_version_ = 0;
    uint32_t field_bytes_ = 0;  ///< of offset, length, base and index: four bits each

    HeifLayer colours_;
    std::optional<HeifLayer> alpha_;
    bool is_premultiplied_ = false;
    HeifCrop crop_ = {};
    int orientation_ = 1;
};

}  // namespace lookalike
