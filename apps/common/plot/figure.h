#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "apps/common/plot/color.h"
#include "apps/common/plot/scene.h"

// What a plot shows, in the data's own units. A figure is a grid of panels, a panel a list of marks:
//
//   plot::Figure figure;
//   figure.columns = 3;
//   plot::Panel& panel = figure.add("DDSPO", "accuracy 0.96");
//   panel.equal = true;
//   for (int k = 0; k < classes; ++k) {
//     panel.add(plot::Scatter{.points = samples[k], .color = plot::class_color(k)});
//   }
//   panel.add(plot::Crosses{.points = centers});
//   plot::save(figure, "runs/toy/figure");  // figure.svg and figure.png (save.h)
//
// Marks without finite coordinates are left out of the axes' range and not drawn.

namespace plumb::plot {

/// Dots; `radius` in pixels.
struct Scatter {
  std::vector<Point> points = {};
  Color color = class_color(0);
  double radius = 1.3;
  double alpha = 0.55;
  std::string label = {};
};

/// A cross at each point, with a white rim so that it stands out of a cloud.
struct Crosses {
  std::vector<Point> points = {};
  Color color = kInk;
  double size = 9;
  std::string label = {};
};

/// A polyline; `spread`, when not empty, is the half height of the shaded band around each point (standard deviation).
struct Line {
  std::vector<Point> points = {};
  std::vector<double> spread = {};
  Color color = class_color(0);
  double width = 1.8;
  bool dashed = false;
  std::string label = {};
};

/// An arrow from each point by its vector. `scale` multiplies the vectors; 0 chooses it so that they do not overlap.
struct Arrows {
  std::vector<Point> from = {}, by = {};
  Color color = kInk;
  double scale = 0;
  std::string label = {};
};

/// One bar a name, with an error bar when `errors` is not empty. Colours repeat the palette when not given.
struct Bars {
  std::vector<std::string> names = {};
  std::vector<double> heights = {};
  std::vector<double> errors = {};
  std::vector<Color> colors = {};
};

/// A grid of values, first row at the bottom, over the rectangle [x0, x1] x [y0, y1], with a colour bar.
struct HeatMap {
  std::vector<double> values = {};
  std::size_t columns = 1;
  double x0 = 0, x1 = 1, y0 = 0, y1 = 1;
  bool diverging = false;  // colours are symmetric around 0
  std::optional<double> low = {}, high = {};
};

using Mark = std::variant<Scatter, Crosses, Line, Arrows, Bars, HeatMap>;

struct Axis {
  std::string label = {};
  std::optional<double> low = {}, high = {};  // empty: from the data, with a margin
  bool log = false;                           // values that are not positive are left out
  bool ticks = true;
};

enum class Legend { none, inside, beside };

struct Panel {
  std::string title = {};
  std::string caption = {};  // one line under the panel
  Axis x = {}, y = {};
  bool equal = false;              // one unit is the same length on both axes
  Legend legend = Legend::inside;  // in the emptiest corner, or right of the axes; shows the marks that have a label
  std::vector<Mark> marks = {};

  void add(Scatter mark);
  void add(Crosses mark);
  void add(Line mark);
  void add(Arrows mark);
  void add(Bars mark);
  void add(HeatMap mark);
};

struct Figure {
  std::string title = {};
  std::size_t columns = 3;
  double panel_width = 260, panel_height = 260;            // of the axes' box, in pixels before the PNG's scale
  std::vector<std::pair<std::string, Color>> legend = {};  // one for all panels, in lines under the figure
  std::vector<Panel> panels = {};

  Panel& add(std::string panel_title, std::string caption = {}) {
    panels.push_back({.title = std::move(panel_title), .caption = std::move(caption)});
    return panels.back();
  }
};

/// Places everything. Deterministic. Throws ValueError for marks whose lists disagree in length, and for a figure
/// without panels or columns.
Scene layout(const Figure& figure);

}  // namespace plumb::plot
