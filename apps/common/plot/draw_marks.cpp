#include "apps/common/plot/draw_marks.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/require.h"

namespace plumb::plot {
namespace {

struct Check {
  void operator()(const Scatter&) const {}
  void operator()(const Crosses&) const {}
  void operator()(const Line& m) const {
    require<ValueError>(m.spread.empty() || m.spread.size() == m.points.size(),
                        "plot: a line has as many spreads ({}) as points ({}), or none", m.spread.size(),
                        m.points.size());
  }
  void operator()(const Arrows& m) const {
    require<ValueError>(m.from.size() == m.by.size(), "plot: arrows have as many vectors ({}) as points ({})",
                        m.by.size(), m.from.size());
  }
  void operator()(const Bars& m) const {
    std::size_t count = m.heights.size();
    bool fits = m.names.size() == count && (m.errors.empty() || m.errors.size() == count);
    require<ValueError>(fits, "plot: bars have as many names ({}) and errors ({} or none) as heights ({})",
                        m.names.size(), m.errors.size(), count);
  }
  void operator()(const HeatMap& m) const {
    require<ValueError>(m.columns > 0 && !m.values.empty() && m.values.size() % m.columns == 0,
                        "plot: a heat map has whole rows ({} values, {} columns)", m.values.size(), m.columns);
  }
};

class Drawer {
 public:
  Drawer(const Axes& axes, int clip, Scene& scene) : axes_(axes), clip_(clip), scene_(scene) {}

  void operator()(const Scatter& m) const { draw_points(m, 0, m.points.size(), axes_, clip_, scene_); }

  void operator()(const Crosses& m) const {
    Strokes cross{{}, 2.2, m.color, 0};
    for (Point p : mapped(m.points)) {
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
      double r = m.size / 2;
      cross.lines.push_back({{p.x - r, p.y - r}, {p.x + r, p.y + r}});
      cross.lines.push_back({{p.x - r, p.y + r}, {p.x + r, p.y - r}});
    }
    Strokes rim = cross;
    rim.width += 2.4;
    rim.color = with_alpha(kPaper, 0.9);
    scene_.add(std::move(rim), clip_);
    scene_.add(std::move(cross), clip_);
  }

  void operator()(const Line& m) const {
    if (!m.spread.empty()) band(m);
    scene_.add(Strokes{runs(mapped(m.points)), m.width, m.color, m.dashed ? 4.0 : 0.0}, clip_);
  }

  void operator()(const Arrows& m) const {
    double scale = m.scale > 0 ? m.scale : natural_scale(m);
    Strokes shafts{{}, 1, m.color, 0};
    for (std::size_t i = 0; i < m.from.size(); ++i) {
      Point tail = axes_.at(m.from[i]);
      Point head = axes_.at({m.from[i].x + scale * m.by[i].x, m.from[i].y + scale * m.by[i].y});
      double dx = head.x - tail.x, dy = head.y - tail.y, length = std::sqrt(dx * dx + dy * dy);
      if (!std::isfinite(length) || length < 0.5) continue;
      shafts.lines.push_back({tail, head});
      // Two barbs at 27 degrees, a third of a short arrow and at most four pixels.
      double barb = std::min(4.0, length * 0.35), ux = dx / length * barb, uy = dy / length * barb;
      shafts.lines.push_back(
          {{head.x - ux - uy / 2, head.y - uy + ux / 2}, head, {head.x - ux + uy / 2, head.y - uy - ux / 2}});
    }
    scene_.add(std::move(shafts), clip_);
  }

  void operator()(const Bars& m) const {
    constexpr double kHalfWidth = 0.36;
    Strokes whiskers{{}, 1.4, kInk, 0};
    double zero = std::clamp(axes_.y.at(0), axes_.box.top, axes_.box.bottom);
    if (!std::isfinite(zero)) zero = axes_.box.bottom;  // no zero on a log axis
    for (std::size_t i = 0; i < m.heights.size(); ++i) {
      double middle = static_cast<double>(i), top = axes_.y.at(m.heights[i]);
      double left = axes_.x.at(middle - kHalfWidth), right = axes_.x.at(middle + kHalfWidth);
      scene_.add(Area{{{left, top}, {right, top}, {right, zero}, {left, zero}}, bar_color(m, i)}, clip_);
      if (m.errors.empty() || !(m.errors[i] > 0)) continue;
      double x = axes_.x.at(middle), high = axes_.y.at(m.heights[i] + m.errors[i]);
      double low = axes_.y.at(m.heights[i] - m.errors[i]), cap = std::min(4.0, (right - left) / 4);
      if (!std::isfinite(low)) low = axes_.box.bottom;
      whiskers.lines.push_back({{x, low}, {x, high}});
      whiskers.lines.push_back({{x - cap, high}, {x + cap, high}});
      whiskers.lines.push_back({{x - cap, low}, {x + cap, low}});
    }
    scene_.add(std::move(whiskers), clip_);
  }

  void operator()(const HeatMap& m) const {
    auto limits = heat_limits(m);
    Cells cells{{axes_.x.at(m.x0), axes_.y.at(m.y1), axes_.x.at(m.x1), axes_.y.at(m.y0)}, m.columns, {}};
    std::size_t rows = m.values.size() / m.columns;
    for (std::size_t row = rows; row-- > 0;) {  // the scene's first row is on top
      for (std::size_t column = 0; column < m.columns; ++column) {
        cells.colors.push_back(heat_color(m, m.values[row * m.columns + column], limits));
      }
    }
    scene_.add(std::move(cells), clip_);
  }

 private:
  std::vector<Point> mapped(const std::vector<Point>& points) const {
    std::vector<Point> pixels;
    pixels.reserve(points.size());
    for (Point p : points) pixels.push_back(axes_.at(p));
    return pixels;
  }

  // A gap in the values is a gap in the line.
  static std::vector<std::vector<Point>> runs(const std::vector<Point>& points) {
    std::vector<std::vector<Point>> lines(1);
    for (Point p : points) {
      if (std::isfinite(p.x) && std::isfinite(p.y)) {
        lines.back().push_back(p);
      } else if (!lines.back().empty()) {
        lines.emplace_back();
      }
    }
    return lines;
  }

  void band(const Line& m) const {
    std::vector<Point> upper, lower;
    auto finish = [&] {
      upper.insert(upper.end(), lower.rbegin(), lower.rend());
      if (upper.size() > 2) scene_.add(Area{upper, with_alpha(m.color, 0.18)}, clip_);
      upper.clear(), lower.clear();
    };
    for (std::size_t i = 0; i < m.points.size(); ++i) {
      Point high = axes_.at({m.points[i].x, m.points[i].y + m.spread[i]});
      Point low = axes_.at({m.points[i].x, m.points[i].y - m.spread[i]});
      if (!std::isfinite(low.y) && std::isfinite(high.y)) low.y = axes_.box.bottom;  // below a log axis
      if (!std::isfinite(high.x) || !std::isfinite(high.y) || !std::isfinite(low.y)) {
        finish();
        continue;
      }
      upper.push_back(high);
      lower.push_back(low);
    }
    finish();
  }

  // The longest arrow spans the typical distance between arrows: the side of the square each one has to itself.
  double natural_scale(const Arrows& m) const {
    double longest = 0, width = axes_.x.high - axes_.x.low, height = axes_.y.high - axes_.y.low;
    for (Point v : m.by) {
      double length = std::sqrt(v.x * v.x + v.y * v.y);
      if (std::isfinite(length)) longest = std::max(longest, length);
    }
    double cell = std::sqrt(std::abs(width * height) / static_cast<double>(std::max<std::size_t>(1, m.from.size())));
    return longest > 0 ? 0.95 * cell / longest : 1;
  }

  const Axes& axes_;
  int clip_;
  Scene& scene_;
};

}  // namespace

void draw_points(const Scatter& cloud, std::size_t first, std::size_t last, const Axes& axes, int clip, Scene& scene) {
  Dots dots{{}, cloud.radius, with_alpha(cloud.color, cloud.alpha)};
  for (std::size_t i = first; i < last; ++i) {
    Point at = axes.at(cloud.points[i]);
    if (std::isfinite(at.x) && std::isfinite(at.y)) dots.points.push_back(at);
  }
  if (!dots.points.empty()) scene.add(std::move(dots), clip);
}

void check_mark(const Mark& mark) { std::visit(Check{}, mark); }

void draw_mark(const Mark& mark, const Axes& axes, int clip, Scene& scene) {
  check_mark(mark);
  std::visit(Drawer(axes, clip, scene), mark);
}

Color bar_color(const Bars& bars, std::size_t i) {
  return bars.colors.empty() ? class_color(i) : bars.colors[i % bars.colors.size()];
}

std::pair<double, double> heat_limits(const HeatMap& map) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (double v : map.values) {
    if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  }
  if (!(low <= high)) low = 0, high = 1;
  if (map.diverging) high = std::max(std::abs(low), std::abs(high)), low = -high;
  low = map.low.value_or(low), high = map.high.value_or(high);
  return {low, high > low ? high : low + 1};
}

Color heat_color(const HeatMap& map, double value, std::pair<double, double> limits) {
  double t = (value - limits.first) / (limits.second - limits.first);
  return map.diverging ? diverging_color(2 * t - 1) : sequential_color(t);
}

}  // namespace plumb::plot
