// All places within a radius of a centre: what an index condition on a distance compares with.
#pragma once

#include "pg/type/descriptor.h"

namespace lookalike {

/// A composite type of a centre and a radius, descriptor_sphere or local_features_sphere, read.
struct Sphere {
    Datum center;
    double radius;  ///< never NaN
};

/// Reads a sphere into the current memory context. False: a part of it is NULL, so nothing is known
/// to lie in it.
bool read_sphere(Datum datum, Sphere* sphere);

/// Raises when `radius` is NaN.
void check_radius(double radius);

/// Whether the two have the dimensions and the kinds that a distance between them needs.
bool are_comparable(const DescriptorView& a, const DescriptorView& b);

}  // namespace lookalike
