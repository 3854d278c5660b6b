#pragma once

#include <string>
#include <variant>
#include <vector>

#include "apps/common/plot/color.h"

// What layout() makes of a Figure and both writers draw: shapes in pixels, origin at the top left, y downwards.

namespace plumb::plot {

struct Point {
  double x = 0, y = 0;
};

struct Rect {
  double left = 0, top = 0, right = 0, bottom = 0;

  double width() const { return right - left; }
  double height() const { return bottom - top; }
};

/// Discs of one colour; each is laid over the others, so alpha shows density.
struct Dots {
  std::vector<Point> points;
  double radius = 1;
  Color color;
};

/// Polylines of one colour with round joins; where they cross the colour is laid on once.
struct Strokes {
  std::vector<std::vector<Point>> lines;
  double width = 1;
  Color color;
  double dash = 0;  // length of a dash and of a gap; 0: solid
};

/// A filled polygon.
struct Area {
  std::vector<Point> corners;
  Color color;
};

/// A grid of coloured cells, first row on top.
struct Cells {
  Rect place;
  std::size_t columns = 0;
  std::vector<Color> colors;
};

enum class Anchor { start, middle, end };

/// One line of text; `at` is on the baseline, `size` in pixels as in CSS, `turn` in degrees anticlockwise.
struct Label {
  Point at;
  std::string text;
  double size = 12;
  Color color = kInk;
  Anchor anchor = Anchor::start;
  double turn = 0;
  bool bold = false;
};

struct SceneItem {
  std::variant<Dots, Strokes, Area, Cells, Label> shape;
  int clip = -1;  // index into Scene::clips; -1: the whole picture
};

struct Scene {
  double width = 0, height = 0;
  std::string title;  // for readers who cannot see the picture
  std::vector<Rect> clips;
  std::vector<SceneItem> items;  // drawn in order

  void add(Dots dots, int clip = -1);
  void add(Strokes strokes, int clip = -1);
  void add(Area area, int clip = -1);
  void add(Cells cells, int clip = -1);
  void add(Label label, int clip = -1);
};

}  // namespace plumb::plot
