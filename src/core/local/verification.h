// Do matches lie right? Of many guessed pairs of places, the largest part that one movement of the
// picture explains: a shift, a turn and a change of size.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/no_postgres.h"

namespace lookalike {

/// A feature of one picture and the feature of another that may show the same thing.
struct Correspondence {
    double from_x, from_y;  ///< in kPlaceParts
    double to_x, to_y;
    int scale_steps;    ///< by how many steps the second is larger
    uint8_t turn;       ///< by how many of kAngleParts the second is turned
    double weight;      ///< how alike they are, 0 to 1
    uint32_t from, to;  ///< their indexes
};

/// x' = a x - b y + x0; y' = b x + a y + y0
struct Similarity {
    double a, b, x0, y0;
};

/// By how much larger the second picture's things are than the first's.
double growth_of(const Similarity& movement);

/// How far a pair may be from where the movement puts it, as a part of what it may be where nothing
/// grows or shrinks: a thing that is small in one picture is found there to fewer pixels.
double tolerance_of(double growth);

/// By how much the movement misses, squared, in kPlaceParts.
double squared_error(const Similarity& movement, const Correspondence& pair);

struct Verified {
    std::vector<uint32_t> inliers;  ///< indexes of correspondences, heaviest first, one-to-one
    Similarity movement;
};

/// REQUIRES: the correspondences come heaviest first. Equal input gives equal output on every
/// machine: nothing is computed but sums, products, quotients and roots.
Verified verify(std::span<const Correspondence> correspondences);

}  // namespace lookalike
