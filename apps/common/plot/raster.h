#pragma once

#include "apps/common/plot/canvas.h"

namespace plumb::plot {

/// Draws the scene with `scale` pixels a unit. Throws ValueError for a picture of no pixels or more than 2^28.
Canvas rasterize(const Scene& scene, double scale = 2);

/// Cuts a polyline into dashes and gaps of this length.
std::vector<std::vector<Point>> dashed(const std::vector<Point>& line, double dash);

}  // namespace plumb::plot
