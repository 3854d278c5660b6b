#pragma once

#include "apps/common/plot/axes.h"

namespace plumb::plot {

/// The labelled marks of a panel, in the corner of the axes with the fewest data or right of the axes, as
/// Panel::legend says.
void draw_legend(const Panel& panel, const Axes& axes, Scene& scene);

/// What a legend takes right of the axes, in pixels before the PNG's scale; 0 when nothing has a label.
double legend_width(const Panel& panel);
double legend_height(const Panel& panel);

using LegendEntries = std::vector<std::pair<std::string, Color>>;

/// The entries in lines that are no wider than `width`, except where a single one is.
std::vector<LegendEntries> wrap_legend(const LegendEntries& entries, double width);

/// Coloured dots with names in one line centred at `at`.
void draw_legend_line(const LegendEntries& entries, Point at, Scene& scene);

}  // namespace plumb::plot
