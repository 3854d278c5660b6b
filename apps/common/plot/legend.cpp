#include "apps/common/plot/legend.h"

#include <algorithm>

#include "apps/common/plot/font.h"

namespace plumb::plot {
namespace {

constexpr double kSize = 10.5, kRow = 15, kSample = 16, kPad = 6, kAway = 6;

enum class Sample { dot, cross, line, dashes };

struct Entry {
  std::string text;
  Color color;
  Sample sample;
};

struct ReadEntry {
  std::vector<Entry>& entries;

  void add(const std::string& label, Color color, Sample sample) const {
    if (!label.empty()) entries.push_back({label, color, sample});
  }
  void operator()(const Scatter& m) const { add(m.label, m.color, Sample::dot); }
  void operator()(const Crosses& m) const { add(m.label, m.color, Sample::cross); }
  void operator()(const Line& m) const { add(m.label, m.color, m.dashed ? Sample::dashes : Sample::line); }
  void operator()(const Arrows& m) const { add(m.label, m.color, Sample::line); }
  void operator()(const Bars&) const {}
  void operator()(const HeatMap&) const {}
};

// How many data points lie in the rectangle.
struct Crowd {
  const Axes& axes;
  const Rect& place;

  std::size_t count(const std::vector<Point>& points) const {
    return static_cast<std::size_t>(std::count_if(points.begin(), points.end(), [&](Point p) {
      Point at = axes.at(p);
      return at.x > place.left && at.x < place.right && at.y > place.top && at.y < place.bottom;
    }));
  }
  std::size_t operator()(const Scatter& m) const { return count(m.points); }
  std::size_t operator()(const Crosses& m) const { return count(m.points); }
  std::size_t operator()(const Arrows& m) const { return count(m.from); }
  std::size_t operator()(const Bars&) const { return 0; }
  std::size_t operator()(const HeatMap&) const { return 0; }
  // Between the points of a line is line too.
  std::size_t operator()(const Line& m) const {
    constexpr int kPieces = 8;
    std::vector<Point> dense;
    for (std::size_t i = 0; i + 1 < m.points.size(); ++i) {
      for (int k = 0; k < kPieces; ++k) {
        double t = static_cast<double>(k) / kPieces;
        Point a = m.points[i], b = m.points[i + 1];
        dense.push_back({a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t});
      }
    }
    return count(dense);
  }
};

Rect emptiest_corner(const Panel& panel, const Axes& axes, double width, double height) {
  const Rect& box = axes.box;
  double right = box.right - kAway - width, left = box.left + kAway;
  double top = box.top + kAway, bottom = box.bottom - kAway - height;
  Rect best;
  std::size_t fewest = static_cast<std::size_t>(-1);
  for (Point corner : {Point{right, top}, Point{left, top}, Point{right, bottom}, Point{left, bottom}}) {
    Rect place{corner.x, corner.y, corner.x + width, corner.y + height};
    std::size_t crowd = 0;
    for (const Mark& mark : panel.marks) crowd += std::visit(Crowd{axes, place}, mark);
    if (crowd < fewest) fewest = crowd, best = place;
  }
  return best;
}

std::vector<Entry> entries_of(const Panel& panel) {
  std::vector<Entry> entries;
  for (const Mark& mark : panel.marks) std::visit(ReadEntry{entries}, mark);
  return entries;
}

double box_width(const std::vector<Entry>& entries) {
  double widest = 0;
  for (const Entry& entry : entries) widest = std::max(widest, text_width(entry.text, kSize));
  return kPad * 2 + kSample + 5 + widest;
}

double box_height(const std::vector<Entry>& entries) {
  return kPad * 2 - 3 + kRow * static_cast<double>(entries.size());
}

// Of the legend under a figure.
constexpr double kLineSize = 12, kDot = 14, kBetween = 20;

void draw_sample(const Entry& entry, Point left, Scene& scene) {
  Point middle{left.x + kSample / 2, left.y};
  if (entry.sample == Sample::dot) {
    scene.add(Dots{{middle}, 3.5, entry.color});
  } else if (entry.sample == Sample::cross) {
    double r = 3.5;
    scene.add(Strokes{{{{middle.x - r, middle.y - r}, {middle.x + r, middle.y + r}},
                       {{middle.x - r, middle.y + r}, {middle.x + r, middle.y - r}}},
                      1.8,
                      entry.color,
                      0});
  } else {
    double dash = entry.sample == Sample::dashes ? 4 : 0;
    scene.add(Strokes{{{{left.x + 1, left.y}, {left.x + kSample - 1, left.y}}}, 2, entry.color, dash});
  }
}

}  // namespace

void draw_legend(const Panel& panel, const Axes& axes, Scene& scene) {
  const std::vector<Entry> entries = entries_of(panel);
  if (entries.empty()) return;
  const double width = box_width(entries), height = box_height(entries);
  const double beside = axes.box.right + kAway, top = axes.box.top;
  const Rect place = panel.legend == Legend::beside ? Rect{beside, top, beside + width, top + height}
                                                    : emptiest_corner(panel, axes, width, height);
  std::vector<Point> corners = {
      {place.left, place.top}, {place.right, place.top}, {place.right, place.bottom}, {place.left, place.bottom}};
  scene.add(Area{corners, with_alpha(kPaper, 0.85)});
  for (std::size_t i = 0; i < entries.size(); ++i) {
    double y = place.top + kPad + kRow * static_cast<double>(i) + kRow / 2 - 1.5;
    draw_sample(entries[i], {place.left + kPad, y}, scene);
    scene.add(Label{{place.left + kPad + kSample + 5, y + kSize * 0.36}, entries[i].text, kSize, kInk});
  }
}

double legend_width(const Panel& panel) {
  const std::vector<Entry> entries = entries_of(panel);
  return entries.empty() ? 0 : kAway + box_width(entries);
}

double legend_height(const Panel& panel) {
  const std::vector<Entry> entries = entries_of(panel);
  return entries.empty() ? 0 : box_height(entries);
}

std::vector<LegendEntries> wrap_legend(const LegendEntries& entries, double width) {
  std::vector<LegendEntries> lines;
  double used = 0;
  for (const auto& entry : entries) {
    const double own = kDot + text_width(entry.first, kLineSize);
    if (lines.empty() || used + kBetween + own > width) {
      lines.emplace_back();
      used = -kBetween;
    }
    lines.back().push_back(entry);
    used += kBetween + own;
  }
  return lines;
}

void draw_legend_line(const LegendEntries& entries, Point at, Scene& scene) {
  double width = -kBetween;
  for (const auto& [text, color] : entries) width += kDot + text_width(text, kLineSize) + kBetween;
  double left = at.x - width / 2;
  for (const auto& [text, color] : entries) {
    scene.add(Dots{{{left + 4, at.y}}, 4, color});
    scene.add(Label{{left + kDot, at.y + kLineSize * 0.36}, text, kLineSize, kInk});
    left += kDot + text_width(text, kLineSize) + kBetween;
  }
}

}  // namespace plumb::plot
