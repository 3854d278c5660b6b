#pragma once

#include "apps/common/plot/axes.h"

namespace plumb::plot {

/// The labelled marks of a panel, in the corner of the axes with the fewest data.
void draw_legend(const Panel& panel, const Axes& axes, Scene& scene);

using LegendEntries = std::vector<std::pair<std::string, Color>>;

/// The entries in lines that are no wider than `width`, except where a single one is.
std::vector<LegendEntries> wrap_legend(const LegendEntries& entries, double width);

/// Coloured dots with names in one line centred at `at`.
void draw_legend_line(const LegendEntries& entries, Point at, Scene& scene);

}  // namespace plumb::plot
