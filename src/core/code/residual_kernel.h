// The loops over a residual, the difference of an entry and its centroid: one for each instruction
// set, chosen at run time. Every set adds the same numbers in the same order, so that a code does
// not depend on the machine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lookalike {

/// Sums over the dimensions of one residual r, with x the signs of r.
struct ResidualSums {
    double squared;          ///< |r|^2
    double absolute;         ///< <r, x>
    double signed_centroid;  ///< <c, x>
};

/// Also writes the signs, bit i % 8 of byte i / 8. REQUIRES: dims a multiple of 8.
ResidualSums residual_sums(const float* entry, const float* centroid, size_t dims, uint8_t* signs);

/// <entry - centroid, centroid + mean>. REQUIRES: dims a multiple of 8.
double residual_dot(const float* entry, const float* centroid, const float* mean, size_t dims);

}  // namespace lookalike
