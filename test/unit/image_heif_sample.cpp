#include "image_heif_sample.h"

#include "image/heif_file.h"

namespace lookalike {
namespace {

void append(FileBytes& out, const FileBytes& bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

FileBytes big(uint64_t value, int bytes) {
    FileBytes out;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        out.push_back(static_cast<uint8_t>(value >> shift));
    }
    return out;
}

FileBytes text(const std::string& letters) {
    return {letters.begin(), letters.end()};
}

FileBytes concat(const std::vector<FileBytes>& parts) {
    FileBytes out;
    for (const FileBytes& part : parts) {
        append(out, part);
    }
    return out;
}

FileBytes versioned_box(const std::string& type, int version, const FileBytes& content) {
    return heif_box(type, concat({big(static_cast<uint64_t>(version) << 24, 4), content}));
}

FileBytes item_types(const std::vector<HeifSampleItem>& items) {
    FileBytes out = big(items.size(), 2);
    for (size_t i = 0; i < items.size(); ++i) {
        append(out, versioned_box("infe", 2,
                                  concat({big(i + 1, 2), big(0, 2), text(items[i].type), {0}})));
    }
    return versioned_box("iinf", 0, out);
}

FileBytes references(const std::vector<HeifSampleItem>& items) {
    FileBytes out;
    for (size_t i = 0; i < items.size(); ++i) {
        for (const auto& [type, to] : items[i].references) {
            FileBytes reference = concat({big(i + 1, 2), big(to.size(), 2)});
            for (const int item : to) {
                append(reference, big(item, 2));
            }
            append(out, heif_box(type, reference));
        }
    }
    return versioned_box("iref", 0, out);
}

FileBytes properties(const std::vector<HeifSampleItem>& items) {
    FileBytes all, associations = big(items.size(), 4);
    int count = 0;
    for (size_t i = 0; i < items.size(); ++i) {
        append(associations, concat({big(i + 1, 2), big(items[i].properties.size(), 1)}));
        for (const FileBytes& property : items[i].properties) {
            append(all, property);
            associations.push_back(static_cast<uint8_t>(0x80 | ++count));
        }
    }
    return heif_box("iprp",
                    concat({heif_box("ipco", all), versioned_box("ipma", 0, associations)}));
}

/// Offsets of items in the file start at `data_offset`.
FileBytes locations(const std::vector<HeifSampleItem>& items, uint64_t data_offset) {
    FileBytes out = concat({{0x44, 0x00}, big(items.size(), 2)});
    uint64_t in_file = data_offset, in_line = 0;
    for (size_t i = 0; i < items.size(); ++i) {
        uint64_t& offset = items[i].is_inline ? in_line : in_file;
        append(out, concat({big(i + 1, 2), big(items[i].is_inline ? 1 : 0, 2), big(0, 2),
                            big(items[i].pieces.size(), 2)}));
        for (const FileBytes& piece : items[i].pieces) {
            append(out, concat({big(offset, 4), big(piece.size(), 4)}));
            offset += piece.size() + 1;
        }
    }
    return versioned_box("iloc", 1, out);
}

FileBytes data_of(const std::vector<HeifSampleItem>& items, bool is_inline) {
    FileBytes out;
    for (const HeifSampleItem& item : items) {
        for (const FileBytes& piece : item.pieces) {
            if (item.is_inline == is_inline) append(out, concat({piece, {0xee}}));
        }
    }
    return out;
}

}  // namespace

FileBytes heif_box(const std::string& type, const FileBytes& content) {
    return concat({big(8 + content.size(), 4), text(type), content});
}

FileBytes heif_file(const std::vector<HeifSampleItem>& items, const std::string& brand) {
    const FileBytes start = heif_box("ftyp", concat({text(brand), big(0, 4), text(brand)}));
    const auto meta = [&](uint64_t data_offset) {
        return versioned_box(
            "meta", 0,
            concat({versioned_box("pitm", 0, big(1, 2)), item_types(items), references(items),
                    properties(items), locations(items, data_offset),
                    heif_box("idat", data_of(items, true))}));
    };
    const uint64_t data_offset = start.size() + meta(0).size() + 8;
    return concat({start, meta(data_offset), heif_box("mdat", data_of(items, false))});
}

FileBytes heif_size(uint32_t width, uint32_t height) {
    return versioned_box("ispe", 0, concat({big(width, 4), big(height, 4)}));
}

FileBytes heif_rotation(int quarters_to_the_left) {
    return heif_box("irot", big(quarters_to_the_left, 1));
}

FileBytes heif_mirror(int axis) {
    return heif_box("imir", big(axis, 1));
}

FileBytes heif_crop(const std::vector<int32_t>& four_fractions) {
    FileBytes out;
    for (const int32_t number : four_fractions) {
        append(out, big(static_cast<uint32_t>(number), 4));
    }
    return heif_box("clap", out);
}

FileBytes heif_alpha_kind() {
    return versioned_box("auxC", 0,
                         concat({text("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"), {0}}));
}

FileBytes heif_grid(int rows, int columns, uint32_t width, uint32_t height) {
    return concat({{0, 1}, big(rows - 1, 1), big(columns - 1, 1), big(width, 4), big(height, 4)});
}

HeifSampleItem heif_item_of(const std::string& name) {
    const FileBytes bytes = corpus_file(name);
    const HeifFile file{Bytes(bytes)};
    const HeifTile& tile = file.colours().tiles.at(0);
    const bool is_av1 = file.colours().codec == HeifCodec::kAv1;
    const auto config = tile.config.span();
    HeifSampleItem item{
        .type = is_av1 ? "av01" : "hvc1",
        .properties = {heif_size(tile.width, tile.height),
                       heif_box(is_av1 ? "av1C" : "hvcC", {config.begin(), config.end()})},
        .pieces = {{}}};
    for (const Bytes& piece : file.data_of(tile.item)) {
        append(item.pieces[0], {piece.span().begin(), piece.span().end()});
    }
    return item;
}

}  // namespace lookalike
