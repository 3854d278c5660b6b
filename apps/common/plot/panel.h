#pragma once

#include "apps/common/plot/figure.h"

namespace plumb::plot {

/// Pixels around the axes' box.
struct Margins {
  double left = 8, top = 8, right = 8, bottom = 8;
};

/// What the panel's title, ticks, labels, caption and colour bar need.
Margins panel_margins(const Panel& panel, double box_width);

/// Adds the panel with its axes in `box`. Throws ValueError for a mark whose lists disagree.
void draw_panel(const Panel& panel, const Rect& box, Scene& scene);

}  // namespace plumb::plot
