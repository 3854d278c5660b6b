#pragma once

#include "apps/common/plot/figure.h"
#include "apps/common/plot/ticks.h"

namespace plumb::plot {

/// One axis with its limits decided.
struct Scale {
  double low = 0, high = 1;
  double from = 0, to = 1;  // pixels at low and at high
  bool log = false;

  /// Pixel of a value; NaN where a logarithm has none.
  double at(double value) const;
  std::vector<Tick> ticks(int wanted) const;
};

/// The pixel mapping of a panel whose axes fill `box`.
struct Axes {
  Rect box;
  Scale x, y;

  Point at(Point p) const { return {x.at(p.x), y.at(p.y)}; }
};

/// Limits from the settings, else from the marks with a margin; with Panel::equal the shorter axis is widened.
Axes fit_axes(const Panel& panel, const Rect& box);

}  // namespace plumb::plot
