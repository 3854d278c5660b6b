#pragma once

#include "apps/common/plot/axes.h"

namespace plumb::plot {

/// The labelled marks of a panel, in the corner of the axes with the fewest data.
void draw_legend(const Panel& panel, const Axes& axes, Scene& scene);

/// Coloured dots with names in one line centred at `at`.
void draw_legend_line(const std::vector<std::pair<std::string, Color>>& entries, Point at, Scene& scene);

}  // namespace plumb::plot
