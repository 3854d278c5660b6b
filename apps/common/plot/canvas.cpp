#include "apps/common/plot/canvas.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace plumb::plot {
namespace {

struct Bounds {
  double left = std::numeric_limits<double>::infinity(), top = left, right = -left, bottom = -left;

  void add(Point p) {
    left = std::min(left, p.x), right = std::max(right, p.x);
    top = std::min(top, p.y), bottom = std::max(bottom, p.y);
  }
};

}  // namespace

Canvas::Canvas(int64_t width, int64_t height, Color paper)
    : width_(width),
      height_(height),
      clip_{0, 0, width, height},
      pixels_(static_cast<std::size_t>(width * height * 3)) {
  for (std::size_t i = 0; i < pixels_.size(); i += 3) {
    pixels_[i] = paper.red, pixels_[i + 1] = paper.green, pixels_[i + 2] = paper.blue;
  }
}

void Canvas::clip(const Rect& rect) {
  clip_ = {0, 0, width_, height_};
  auto left = std::lround(rect.left), top = std::lround(rect.top);
  clip_ = {std::clamp<int64_t>(left, 0, width_), std::clamp<int64_t>(top, 0, height_),
           std::clamp<int64_t>(std::lround(rect.right), 0, width_),
           std::clamp<int64_t>(std::lround(rect.bottom), 0, height_)};
}

// The pixels a shape may touch, inside the clip; empty for NaN, and infinities are cut before they become integers.
Canvas::Box Canvas::box_of(double left, double top, double right, double bottom) const {
  if (!(left <= right) || !(top <= bottom)) return {0, 0, 0, 0};
  auto low = [](double v, int64_t from, int64_t to) {
    return static_cast<int64_t>(std::clamp(std::floor(v), static_cast<double>(from), static_cast<double>(to)));
  };
  return {low(left, clip_.left, clip_.right), low(top, clip_.top, clip_.bottom),
          low(right + 1, clip_.left, clip_.right), low(bottom + 1, clip_.top, clip_.bottom)};
}

void Canvas::blend(int64_t x, int64_t y, double coverage, Color color) {
  // Eight bits of weight; rounding to nearest keeps white under many faint layers from drifting.
  int weight = static_cast<int>(coverage * color.alpha * 256 + 0.5);
  if (weight <= 0) return;
  uint8_t* pixel = &pixels_[static_cast<std::size_t>((y * width_ + x) * 3)];
  const uint8_t ink[3] = {color.red, color.green, color.blue};
  for (int c = 0; c < 3; ++c) pixel[c] = static_cast<uint8_t>((pixel[c] * (256 - weight) + ink[c] * weight + 128) >> 8);
}

void Canvas::disc(Point center, double radius, Color color) {
  double reach = radius + 0.5;
  Box box = box_of(center.x - reach, center.y - reach, center.x + reach, center.y + reach);
  for (int64_t y = box.top; y < box.bottom; ++y) {
    for (int64_t x = box.left; x < box.right; ++x) {
      double dx = static_cast<double>(x) + 0.5 - center.x, dy = static_cast<double>(y) + 0.5 - center.y;
      double inside = reach - std::sqrt(dx * dx + dy * dy);
      if (inside > 0) blend(x, y, std::min(inside, 1.0), color);
    }
  }
}

void Canvas::blend_mask(const Box& box, Color color) {
  const float* coverage = mask_.data();
  for (int64_t y = box.top; y < box.bottom; ++y) {
    for (int64_t x = box.left; x < box.right; ++x, ++coverage) {
      if (*coverage > 0) blend(x, y, *coverage, color);
    }
  }
}

// Raises the mask to the coverage of one segment with round ends.
void Canvas::raise_mask(const Box& box, Point from, Point to, double half_width) {
  double dx = to.x - from.x, dy = to.y - from.y;
  double squared = dx * dx + dy * dy, reach = half_width + 0.5;
  Box part = box_of(std::min(from.x, to.x) - reach, std::min(from.y, to.y) - reach, std::max(from.x, to.x) + reach,
                    std::max(from.y, to.y) + reach);
  // A line thinner than a pixel is drawn a pixel wide and fainter.
  double strength = std::min(1.0, 2 * half_width);
  double slab = std::abs(dy) > 1e-9 ? reach * std::sqrt(squared) / std::abs(dy) : 0;
  for (int64_t y = part.top; y < part.bottom; ++y) {
    double py = static_cast<double>(y) + 0.5 - from.y;
    int64_t left = part.left, right = part.right;
    if (slab > 0) {
      double middle = from.x + py * dx / dy;
      left = std::clamp(static_cast<int64_t>(std::clamp(middle - slab - 1, -1.0, 1e9)), part.left, part.right);
      right = std::clamp(static_cast<int64_t>(std::clamp(middle + slab + 2, -1.0, 1e9)), part.left, part.right);
    }
    float* row = &mask_[static_cast<std::size_t>((y - box.top) * (box.right - box.left))];
    for (int64_t x = left; x < right; ++x) {
      double px = static_cast<double>(x) + 0.5 - from.x;
      double t = squared > 0 ? std::clamp((px * dx + py * dy) / squared, 0.0, 1.0) : 0.0;
      double ex = px - t * dx, ey = py - t * dy;
      double inside = std::max(half_width, 0.5) + 0.5 - std::sqrt(ex * ex + ey * ey);
      if (inside <= 0) continue;
      float& cell = row[x - box.left];
      cell = std::max(cell, static_cast<float>(std::min(inside, 1.0) * strength));
    }
  }
}

void Canvas::strokes(const std::vector<std::vector<Point>>& lines, double width, Color color) {
  double half_width = width / 2, reach = std::max(half_width, 0.5) + 0.5;
  Bounds bounds;
  auto finite = [](Point p) { return std::isfinite(p.x) && std::isfinite(p.y); };
  for (const auto& line : lines) {
    for (Point p : line) {
      if (finite(p)) bounds.add(p);
    }
  }
  Box box = box_of(bounds.left - reach, bounds.top - reach, bounds.right + reach, bounds.bottom + reach);
  mask_.assign(static_cast<std::size_t>((box.right - box.left) * (box.bottom - box.top)), 0.0f);
  if (mask_.empty()) return;
  for (const auto& line : lines) {
    for (std::size_t i = line.size() == 1 ? 0 : 1; i < line.size(); ++i) {
      Point from = line[i == 0 ? 0 : i - 1], to = line[i];
      if (finite(from) && finite(to)) raise_mask(box, from, to, half_width);
    }
  }
  blend_mask(box, color);
}

// Adds the signed area to the right of an edge to the mask; a running sum along each row then gives the coverage.
// The part of the edge left of the box counts as running down its left side.
void Canvas::add_edge(const Box& box, Point from, Point to) {
  if (from.y == to.y) return;
  double sign = from.y < to.y ? 1 : -1;
  if (sign < 0) std::swap(from, to);
  double slope = (to.x - from.x) / (to.y - from.y);
  double left = static_cast<double>(box.left), right = static_cast<double>(box.right);
  int64_t stride = box.right - box.left;
  double top = std::max(from.y, static_cast<double>(box.top)), bottom = std::min(to.y, static_cast<double>(box.bottom));
  for (int64_t y = static_cast<int64_t>(std::floor(top)); static_cast<double>(y) < bottom; ++y) {
    double y0 = std::max(top, static_cast<double>(y)), y1 = std::min(bottom, static_cast<double>(y) + 1);
    if (y1 <= y0) continue;
    float* row = &mask_[static_cast<std::size_t>((y - box.top) * stride)];
    double x0 = std::clamp(from.x + (y0 - from.y) * slope, left, right) - left;
    double x1 = std::clamp(from.x + (y1 - from.y) * slope, left, right) - left;
    if (x0 > x1) std::swap(x0, x1);
    // Spread the height of this piece over the pixels it crosses, by length.
    double height = sign * (y1 - y0);
    auto first = static_cast<int64_t>(x0), last = std::min(static_cast<int64_t>(x1), stride);
    for (int64_t x = first; x <= last && x < stride; ++x) {
      double a = std::max(x0, static_cast<double>(x)), b = std::min(x1, static_cast<double>(x) + 1);
      double share = x1 > x0 ? (b - a) / (x1 - x0) : 1;
      if (share <= 0) continue;
      double covered = static_cast<double>(x) + 1 - (a + b) / 2;  // of this pixel, right of the edge
      row[x] += static_cast<float>(height * share * covered);
      if (x + 1 < stride) row[x + 1] += static_cast<float>(height * share * (1 - covered));
    }
  }
}

void Canvas::area(const std::vector<Point>& corners, Color color) {
  Bounds bounds;
  for (Point p : corners) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) return;
    bounds.add(p);
  }
  Box box = box_of(bounds.left, bounds.top, bounds.right, bounds.bottom);
  int64_t stride = box.right - box.left;
  mask_.assign(static_cast<std::size_t>(stride * (box.bottom - box.top)), 0.0f);
  if (mask_.empty()) return;
  for (std::size_t i = 0; i < corners.size(); ++i) add_edge(box, corners[i], corners[(i + 1) % corners.size()]);
  for (std::size_t row = 0; row < mask_.size(); row += static_cast<std::size_t>(stride)) {
    float sum = 0;
    for (int64_t x = 0; x < stride; ++x) {
      float& cell = mask_[row + static_cast<std::size_t>(x)];
      sum += cell;
      // Float sums end a hair away from zero; below a thousandth nothing is visible.
      cell = std::abs(sum) < 1e-3f ? 0.0f : std::min(std::abs(sum), 1.0f);
    }
  }
  blend_mask(box, color);
}

}  // namespace plumb::plot
