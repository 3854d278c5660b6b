#include "apps/common/plot/axes.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace plumb::plot {
namespace {

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  bool log = false;
  bool tight = false;     // no margin: the data fill the axes
  bool anchored = false;  // starts at 0, as bars do

  void add(double v) {
    if (!std::isfinite(v) || (log && v <= 0)) return;
    low = std::min(low, v), high = std::max(high, v);
  }
};

struct Collect {
  Range& x;
  Range& y;

  void add(const std::vector<Point>& points) const {
    for (Point p : points) {
      if (std::isfinite(p.x) && std::isfinite(p.y)) x.add(p.x), y.add(p.y);
    }
  }
  void operator()(const Scatter& m) const { add(m.points); }
  void operator()(const Crosses& m) const { add(m.points); }
  void operator()(const Line& m) const {
    add(m.points);
    for (std::size_t i = 0; i < m.spread.size(); ++i) {
      y.add(m.points[i].y - m.spread[i]);
      y.add(m.points[i].y + m.spread[i]);
    }
    x.tight = true;
  }
  void operator()(const Arrows& m) const { add(m.from); }
  void operator()(const Bars& m) const {
    x.add(-0.6);
    x.add(static_cast<double>(m.heights.size()) - 0.4);
    for (std::size_t i = 0; i < m.heights.size(); ++i) {
      double error = m.errors.empty() || !std::isfinite(m.errors[i]) ? 0 : m.errors[i];
      y.add(m.heights[i] + error);
      y.add(m.heights[i] - error);
    }
    y.add(0);
    x.tight = y.anchored = true;
  }
  void operator()(const HeatMap& m) const {
    x.add(m.x0), x.add(m.x1), y.add(m.y0), y.add(m.y1);
    x.tight = y.tight = true;
  }
};

Scale fit(const Range& range, const Axis& axis, double from, double to) {
  Scale scale{range.low, range.high, from, to, axis.log};
  if (!(scale.low <= scale.high)) scale.low = axis.log ? 1 : 0, scale.high = axis.log ? 10 : 1;
  constexpr double kMargin = 0.05;
  if (scale.low == scale.high) {
    double reach = axis.log ? 0 : std::max(std::abs(scale.low) * 0.5, 1e-6);
    scale.low = axis.log ? scale.low / 2 : scale.low - reach;
    scale.high = axis.log ? scale.high * 2 : scale.high + reach;
  } else if (!range.tight && axis.log) {
    double grow = std::pow(scale.high / scale.low, kMargin);
    scale.low /= grow, scale.high *= grow;
  } else if (!range.tight) {
    double grow = (scale.high - scale.low) * kMargin;
    if (!range.anchored || scale.low != 0) scale.low -= grow;
    if (!range.anchored || scale.high != 0) scale.high += grow;
  }
  if (axis.low && (!axis.log || *axis.low > 0)) scale.low = *axis.low;
  if (axis.high && (!axis.log || *axis.high > 0)) scale.high = *axis.high;
  if (!(scale.low < scale.high)) scale.high = scale.low + std::max(1.0, std::abs(scale.low));
  return scale;
}

void widen(Scale& scale, double factor) {
  double middle = (scale.low + scale.high) / 2, half = (scale.high - scale.low) / 2 * factor;
  scale.low = middle - half, scale.high = middle + half;
}

}  // namespace

double Scale::at(double value) const {
  if (log && value <= 0) return std::numeric_limits<double>::quiet_NaN();
  double t = log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  return from + t * (to - from);
}

std::vector<Tick> Scale::ticks(int wanted) const {
  return log ? log_ticks(low, high, wanted) : linear_ticks(low, high, wanted);
}

Axes fit_axes(const Panel& panel, const Rect& box) {
  Range x{.log = panel.x.log}, y{.log = panel.y.log};
  for (const Mark& mark : panel.marks) std::visit(Collect{x, y}, mark);
  Axes axes{box, fit(x, panel.x, box.left, box.right), fit(y, panel.y, box.bottom, box.top)};
  if (panel.equal && !panel.x.log && !panel.y.log) {
    double per_x = (axes.x.high - axes.x.low) / box.width(), per_y = (axes.y.high - axes.y.low) / box.height();
    if (per_x < per_y) widen(axes.x, per_y / per_x);
    if (per_y < per_x) widen(axes.y, per_x / per_y);
  }
  return axes;
}

}  // namespace plumb::plot
