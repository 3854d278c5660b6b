#include "apps/common/plot/font.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numbers>

#include "apps/common/plot/glyphs.h"

namespace plumb::plot {
namespace {

constexpr double kCapHeight = 14, kXHeight = 10;
constexpr double kCapShare = 0.716;  // of the size, as in common sans-serif faces
constexpr double kGap = 3.4;         // between neighbouring glyphs, in grid units
constexpr int kCurvePieces = 6;

double unit(double size) { return size * kCapShare / kCapHeight; }
double gap(bool bold) { return bold ? kGap + 0.8 : kGap; }

// Grid height to pixels, with x-height and cap height on whole pixels.
double hinted(double y, double size) {
  double x_height = std::max(1.0, std::round(kXHeight * unit(size)));
  double cap_height = std::max(x_height + 1, std::round(kCapHeight * unit(size)));
  if (y <= kXHeight) return y * x_height / kXHeight;
  return x_height + (y - kXHeight) * (cap_height - x_height) / (kCapHeight - kXHeight);
}

// Appends the code points; a broken sequence counts as "?".
std::vector<uint32_t> code_points(std::string_view text) {
  std::vector<uint32_t> points;
  for (std::size_t i = 0; i < text.size();) {
    auto lead = static_cast<unsigned char>(text[i++]);
    int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    uint32_t point = more == 0 ? lead : lead & (0x3fu >> more);
    for (; more > 0 && i < text.size(); --more) point = point << 6 | (static_cast<unsigned char>(text[i++]) & 0x3f);
    points.push_back(point);
  }
  return points;
}

// Follows a glyph's path, mapping grid points through `place`.
class Pen {
 public:
  Pen(double left, double size, std::vector<std::vector<Point>>& lines) : left_(left), size_(size), lines_(lines) {}

  void draw(const char* path) {
    end_ = path + std::strlen(path);
    for (next_ = path; next_ < end_;) {
      char command = *next_++;
      if (command == ' ') continue;
      if (command == 'M') {
        here_ = read_point();
        lines_.emplace_back();
        emit(here_);
      } else if (command == 'L') {
        here_ = read_point();
        emit(here_);
      } else if (command == 'Q') {
        Point control = read_point();
        quadratic(control, read_point());
      } else {
        quarter(command == 'h', read_point());
      }
    }
  }

 private:
  double read_number() {
    while (*next_ == ' ') ++next_;
    double value = 0;
    next_ = std::from_chars(next_, end_, value).ptr;
    return value;
  }
  Point read_point() {
    double x = read_number();
    return {x, read_number()};
  }
  void emit(Point p) { lines_.back().push_back({left_ + p.x * unit(size_), -hinted(p.y, size_)}); }

  void quadratic(Point control, Point to) {
    for (int i = 1; i <= kCurvePieces; ++i) {
      double t = static_cast<double>(i) / kCurvePieces, s = 1 - t;
      emit({s * s * here_.x + 2 * s * t * control.x + t * t * to.x,
            s * s * here_.y + 2 * s * t * control.y + t * t * to.y});
    }
    here_ = to;
  }

  void quarter(bool horizontal_first, Point to) {
    for (int i = 1; i <= kCurvePieces; ++i) {
      double angle = std::numbers::pi / 2 * i / kCurvePieces;
      double fast = std::sin(angle), slow = 1 - std::cos(angle);
      double u = horizontal_first ? fast : slow, v = horizontal_first ? slow : fast;
      emit({here_.x + (to.x - here_.x) * u, here_.y + (to.y - here_.y) * v});
    }
    here_ = to;
  }

  double left_, size_;
  std::vector<std::vector<Point>>& lines_;
  const char* next_ = nullptr;
  const char* end_ = nullptr;
  Point here_;
};

}  // namespace

double text_width(std::string_view text, double size, bool bold) {
  double width = 0;
  for (uint32_t point : code_points(text)) width += glyph_of(point).width + gap(bold);
  return std::max(0.0, width - gap(bold)) * unit(size);
}

double text_stroke_width(double size, bool bold) { return size * (bold ? 0.128 : 0.088); }

std::vector<std::vector<Point>> text_strokes(std::string_view text, double size, Anchor anchor, bool bold) {
  double share = anchor == Anchor::start ? 0 : anchor == Anchor::middle ? 0.5 : 1;
  double left = -share * text_width(text, size, bold);
  std::vector<std::vector<Point>> lines;
  for (uint32_t point : code_points(text)) {
    const Glyph& glyph = glyph_of(point);
    Pen(left, size, lines).draw(glyph.path);
    left += (glyph.width + gap(bold)) * unit(size);
  }
  return lines;
}

}  // namespace plumb::plot
