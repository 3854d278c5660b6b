#include "apps/common/plot/raster.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "apps/common/plot/font.h"
#include "engine/error.h"
#include "engine/require.h"

namespace plumb::plot {
namespace {

class Drawer {
 public:
  Drawer(Canvas& canvas, double scale) : canvas_(canvas), scale_(scale) {}

  void operator()(const Dots& dots) const {
    for (Point p : dots.points) canvas_.disc(scaled(p), dots.radius * scale_, dots.color);
  }

  void operator()(const Strokes& strokes) const {
    std::vector<std::vector<Point>> lines;
    for (const auto& line : strokes.lines) {
      std::vector<std::vector<Point>> parts = {line};
      if (strokes.dash > 0) parts = dashed(line, strokes.dash);
      for (auto& part : parts) {
        for (Point& p : part) p = scaled(p);
        lines.push_back(std::move(part));
      }
    }
    canvas_.strokes(lines, strokes.width * scale_, strokes.color);
  }

  void operator()(const Area& area) const {
    std::vector<Point> corners = area.corners;
    for (Point& p : corners) p = scaled(p);
    canvas_.area(corners, area.color);
  }

  void operator()(const Cells& cells) const {
    if (cells.columns == 0) return;
    std::size_t rows = cells.colors.size() / cells.columns;
    for (std::size_t i = 0; i < rows * cells.columns; ++i) {
      // Rounded to whole pixels: shared anti-aliased edges would show as hairlines.
      auto edge = [](double from, double length, std::size_t part, std::size_t parts, double scale) {
        return std::round((from + length * static_cast<double>(part) / static_cast<double>(parts)) * scale);
      };
      std::size_t row = i / cells.columns, column = i % cells.columns;
      double left = edge(cells.place.left, cells.place.width(), column, cells.columns, scale_);
      double right = edge(cells.place.left, cells.place.width(), column + 1, cells.columns, scale_);
      double top = edge(cells.place.top, cells.place.height(), row, rows, scale_);
      double bottom = edge(cells.place.top, cells.place.height(), row + 1, rows, scale_);
      canvas_.area({{left, top}, {right, top}, {right, bottom}, {left, bottom}}, cells.colors[i]);
    }
  }

  void operator()(const Label& label) const {
    double size = label.size * scale_;
    auto lines = text_strokes(label.text, size, label.anchor, label.bold);
    Point at = scaled(label.at);
    double angle = -label.turn * std::numbers::pi / 180, sine = std::sin(angle), cosine = std::cos(angle);
    // The baseline on the centre of a row keeps level text sharp.
    if (label.turn == 0) at = {std::round(at.x), std::floor(at.y) + 0.5};
    for (auto& line : lines) {
      for (Point& p : line) p = {at.x + p.x * cosine - p.y * sine, at.y + p.x * sine + p.y * cosine};
    }
    canvas_.strokes(lines, text_stroke_width(size, label.bold), label.color);
  }

 private:
  Point scaled(Point p) const { return {p.x * scale_, p.y * scale_}; }

  Canvas& canvas_;
  double scale_;
};

}  // namespace

std::vector<std::vector<Point>> dashed(const std::vector<Point>& line, double dash) {
  std::vector<std::vector<Point>> parts;
  bool drawing = true;
  double left = dash;  // until the pen is lifted or set down
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    double dx = line[i + 1].x - line[i].x, dy = line[i + 1].y - line[i].y, length = std::sqrt(dx * dx + dy * dy);
    if (!std::isfinite(length)) continue;
    if (i == 0 && drawing) parts.push_back({line[0]});
    for (double done = 0; done < length;) {
      double step = std::min(left, length - done);
      done += step;
      left -= step;
      Point here = {line[i].x + dx * done / length, line[i].y + dy * done / length};
      if (drawing) parts.back().push_back(here);
      if (left > 0) continue;
      drawing = !drawing;
      left = dash;
      if (drawing) parts.push_back({here});
    }
  }
  return parts;
}

Canvas rasterize(const Scene& scene, double scale) {
  constexpr double kMostPixels = 1 << 28;
  double width = std::round(scene.width * scale), height = std::round(scene.height * scale);
  require<ValueError>(width >= 1 && height >= 1 && width * height <= kMostPixels,
                      "plot: a picture has 1 to 2^28 pixels ({} x {}); scale {}", width, height, scale);
  Canvas canvas(static_cast<int64_t>(width), static_cast<int64_t>(height), kPaper);
  Drawer drawer(canvas, scale);
  for (const SceneItem& item : scene.items) {
    Rect clip{0, 0, scene.width, scene.height};
    if (item.clip >= 0) clip = scene.clips[static_cast<std::size_t>(item.clip)];
    canvas.clip({clip.left * scale, clip.top * scale, clip.right * scale, clip.bottom * scale});
    std::visit(drawer, item.shape);
  }
  return canvas;
}

}  // namespace plumb::plot
