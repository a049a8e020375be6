// Spheres among the conditions of an index path.
#pragma once

#include "pg/server.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace lookalike {

/// Conditions of the path's first column that name a sphere, as RestrictInfos.
List* sphere_conditions(const IndexPath* path);

/// Whether a scan that has these sphere conditions ends where one of the spheres does: it has no
/// order, or one by the distance from a sphere's centre.
bool ends_at_sphere(const IndexPath* path, const List* spheres);

}  // namespace lookalike
