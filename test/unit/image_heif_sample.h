// HEIF files put together from boxes, with what encoders write rarely and what nobody should.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "image_samples.h"

namespace lookalike {

/// A box: its type and its content.
FileBytes heif_box(const std::string& type, const FileBytes& content);

struct HeifSampleItem {
    std::string type;  ///< "av01", "hvc1", "grid", ...
    std::vector<FileBytes> properties;
    std::vector<FileBytes> pieces;  ///< of its data, which lie apart from each other
    bool is_inline = false;
    std::vector<std::pair<std::string, std::vector<int>>> references = {};
};

/// Item n is the one with index n - 1; the first is the primary one.
FileBytes heif_file(const std::vector<HeifSampleItem>& items, const std::string& brand = "mif1");

/// Properties.
FileBytes heif_size(uint32_t width, uint32_t height);
FileBytes heif_rotation(int quarters_to_the_left);
FileBytes heif_mirror(int axis);
FileBytes heif_crop(const std::vector<int32_t>& four_fractions);
FileBytes heif_alpha_kind();

/// The data of a grid.
FileBytes heif_grid(int rows, int columns, uint32_t width, uint32_t height);

/// The only picture of a file of the corpus, as an item with its size and its configuration.
HeifSampleItem heif_item_of(const std::string& name);

}  // namespace lookalike
