#pragma once

#include <cstdint>
#include <vector>

#include "apps/common/plot/scene.h"

namespace plumb::plot {

/// An RGB picture that shapes are blended onto with anti-aliased edges, in pixels; the centre of the first pixel is
/// (0.5, 0.5). Coverage of discs and strokes is taken from the distance to their edge, of areas from the exact area
/// inside each pixel. Same calls, same bits.
class Canvas {
 public:
  Canvas(int64_t width, int64_t height, Color paper);

  /// Later shapes are cut to this rectangle (rounded to whole pixels).
  void clip(const Rect& rect);

  void disc(Point center, double radius, Color color);
  void strokes(const std::vector<std::vector<Point>>& lines, double width, Color color);
  /// Non-zero winding for outlines that turn one way; a self-crossing outline may lose its overlap.
  void area(const std::vector<Point>& corners, Color color);

  int64_t width() const { return width_; }
  int64_t height() const { return height_; }
  /// Rows from the top, three bytes a pixel.
  const std::vector<uint8_t>& pixels() const { return pixels_; }

 private:
  struct Box {
    int64_t left, top, right, bottom;  // half open
  };
  Box box_of(double left, double top, double right, double bottom) const;
  void blend(int64_t x, int64_t y, double coverage, Color color);
  void blend_mask(const Box& box, Color color);
  void raise_mask(const Box& box, Point from, Point to, double half_width);
  void add_edge(const Box& box, Point from, Point to);

  int64_t width_, height_;
  Box clip_;
  std::vector<uint8_t> pixels_;
  std::vector<float> mask_;  // coverage inside the box being drawn, row by row
};

}  // namespace plumb::plot
