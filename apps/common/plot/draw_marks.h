#pragma once

#include "apps/common/plot/axes.h"

namespace plumb::plot {

/// Adds a mark's shapes, cut to the axes' box (clip index `clip`). Throws ValueError when its lists disagree in length.
void draw_mark(const Mark& mark, const Axes& axes, int clip, Scene& scene);

/// Adds the points first .. last - 1 of a cloud.
void draw_points(const Scatter& cloud, std::size_t first, std::size_t last, const Axes& axes, int clip, Scene& scene);

/// Throws ValueError when the lists of a mark disagree in length.
void check_mark(const Mark& mark);

/// The colour of bar i.
Color bar_color(const Bars& bars, std::size_t i);

/// The values at the ends of a heat map's colours.
std::pair<double, double> heat_limits(const HeatMap& map);
Color heat_color(const HeatMap& map, double value, std::pair<double, double> limits);

}  // namespace plumb::plot
