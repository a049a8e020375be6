// Drawn textile designs with known answers: each design comes in every colourway, each colourway on
// every design. For demonstrations, tests and measurements; the same pictures on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/no_postgres.h"

namespace lookalike {

constexpr uint32_t kTextileSide = 256;  ///< pixels
constexpr uint32_t kTextileDesigns = 60;
constexpr uint32_t kTextileColourways = 12;
constexpr uint32_t kTextileCount = kTextileDesigns * kTextileColourways;

/// A cutting of cloth.
struct TextileSample {
    uint32_t design_number;    ///< below kTextileDesigns
    std::string design;        ///< "herringbone 3"
    std::string colourway;     ///< "navy and cream"
    std::string season;        ///< "SS26"
    std::string quality;       ///< "A", "B" or "C"
    std::vector<uint8_t> rgb;  ///< kTextileSide x kTextileSide pixels, rows from the top
};

/// REQUIRES: number < kTextileCount. Neighbouring numbers share a design.
TextileSample textile_sample(uint32_t number);

}  // namespace lookalike
