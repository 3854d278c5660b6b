#include "apps/common/plot/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace plumb::plot {
namespace {

using Sink = std::back_insert_iterator<std::string>;

int64_t in_tenths(double value) {
  constexpr double kFarthest = 1e6;
  return static_cast<int64_t>(std::lround(std::clamp(value, -kFarthest, kFarthest) * 10));
}

// One decimal without a needless ".0", "-0" or leading zero.
void append_tenths(std::string& out, int64_t tenths) {
  if (tenths < 0) out += '-';
  tenths = std::abs(tenths);
  if (tenths >= 10 || tenths % 10 == 0) fmt::format_to(Sink(out), "{}", tenths / 10);
  if (tenths % 10 != 0) fmt::format_to(Sink(out), ".{}", tenths % 10);
}

void append_number(std::string& out, double value) { append_tenths(out, in_tenths(value)); }

void append_point(std::string& out, Point p) {
  append_number(out, p.x);
  out += ' ';
  append_number(out, p.y);
}

void append_path(std::string& out, const std::vector<Point>& line) {
  bool down = false;
  for (Point p : line) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y)) {
      down = false;
      continue;
    }
    out += down ? 'L' : 'M';
    append_point(out, p);
    down = true;
  }
}

void append_escaped(std::string& out, const std::string& text) {
  for (char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    }
  }
}

std::string paint(const char* name, Color color) {
  std::string text = fmt::format("{}=\"#{:02x}{:02x}{:02x}\"", name, color.red, color.green, color.blue);
  if (color.alpha < 1) fmt::format_to(Sink(text), " {}-opacity=\"{:.3g}\"", name, color.alpha);
  return text;
}

class Writer {
 public:
  Writer(std::string& out, std::size_t all_dots) : out_(out), all_dots_(std::max<std::size_t>(1, all_dots)) {}

  // A dot is a line of no length with round ends, reached by a relative move from its neighbour in height: about nine
  // bytes instead of an element.
  void operator()(const Dots& dots) const {
    begin_path(dots.color, 2 * dots.radius);
    std::size_t count = dots.points.size(), kept = count;
    if (all_dots_ > kMostDots) kept = (count * kMostDots + all_dots_ - 1) / all_dots_;
    std::vector<std::pair<int64_t, int64_t>> places;  // y, x
    for (std::size_t i = 0; i < kept; ++i) {
      Point p = dots.points[i * count / kept];
      places.emplace_back(in_tenths(p.y), in_tenths(p.x));
    }
    std::sort(places.begin(), places.end());
    std::pair<int64_t, int64_t> here{0, 0};
    for (auto place : places) {
      out_ += 'm';
      append_tenths(out_, place.second - here.second);
      out_ += ' ';
      append_tenths(out_, place.first - here.first);
      out_ += "h0";
      here = place;
    }
    out_ += "\"/>\n";
  }

  void operator()(const Strokes& strokes) const {
    begin_path(strokes.color, strokes.width, strokes.dash);
    for (const auto& line : strokes.lines) append_path(out_, line);
    out_ += "\"/>\n";
  }

  void operator()(const Area& area) const {
    fmt::format_to(Sink(out_), "<path {} d=\"", paint("fill", area.color));
    append_path(out_, area.corners);
    out_ += "Z\"/>\n";
  }

  void operator()(const Cells& cells) const {
    if (cells.columns == 0) return;
    std::size_t rows = cells.colors.size() / cells.columns;
    double width = cells.place.width() / static_cast<double>(cells.columns);
    double height = cells.place.height() / static_cast<double>(rows);
    out_ += "<g shape-rendering=\"crispEdges\">\n";
    for (std::size_t i = 0; i < rows * cells.columns; ++i) {
      double left = cells.place.left + width * static_cast<double>(i % cells.columns);
      double top = cells.place.top + height * static_cast<double>(i / cells.columns);
      rect({left, top, left + width, top + height}, cells.colors[i]);
    }
    out_ += "</g>\n";
  }

  void operator()(const Label& label) const {
    static constexpr const char* kAnchors[] = {"start", "middle", "end"};
    out_ += "<text x=\"";
    append_number(out_, label.at.x);
    out_ += "\" y=\"";
    append_number(out_, label.at.y);
    fmt::format_to(Sink(out_), "\" font-size=\"{}\" text-anchor=\"{}\" {}", label.size,
                   kAnchors[static_cast<int>(label.anchor)], paint("fill", label.color));
    if (label.bold) out_ += " font-weight=\"600\"";
    if (label.turn != 0) {
      fmt::format_to(Sink(out_), " transform=\"rotate({} {:.1f} {:.1f})\"", -label.turn, label.at.x, label.at.y);
    }
    out_ += '>';
    append_escaped(out_, label.text);
    out_ += "</text>\n";
  }

  void rect(const Rect& place, Color color) const {
    out_ += "<rect x=\"";
    append_number(out_, place.left);
    out_ += "\" y=\"";
    append_number(out_, place.top);
    out_ += "\" width=\"";
    append_number(out_, place.width());
    out_ += "\" height=\"";
    append_number(out_, place.height());
    fmt::format_to(Sink(out_), "\" {}/>\n", paint("fill", color));
  }

 private:
  void begin_path(Color color, double width, double dash = 0) const {
    fmt::format_to(Sink(out_), "<path {} stroke-width=\"{:.3g}\"", paint("stroke", color), width);
    if (dash > 0) fmt::format_to(Sink(out_), " stroke-dasharray=\"{:.3g}\"", dash);
    out_ += " d=\"";
  }

  std::string& out_;
  std::size_t all_dots_;
};

}  // namespace

std::string to_svg(const Scene& scene) {
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"Helvetica,Arial,sans-serif\">\n<title>",
      scene.width, scene.height);
  append_escaped(out, scene.title);
  out += "</title>\n<defs>\n";
  std::size_t all_dots = 0;
  for (const SceneItem& item : scene.items) {
    if (auto* dots = std::get_if<Dots>(&item.shape)) all_dots += dots->points.size();
  }
  Writer writer(out, all_dots);
  for (std::size_t i = 0; i < scene.clips.size(); ++i) {
    fmt::format_to(Sink(out), "<clipPath id=\"c{}\">", i);
    writer.rect(scene.clips[i], kInk);
    out += "</clipPath>\n";
  }
  out += "</defs>\n";
  writer.rect({0, 0, scene.width, scene.height}, kPaper);
  out += "<g fill=\"none\" stroke-linecap=\"round\" stroke-linejoin=\"round\">\n";
  int open = -1;
  for (const SceneItem& item : scene.items) {
    if (item.clip != open) {
      if (open >= 0) out += "</g>\n";
      if (item.clip >= 0) fmt::format_to(Sink(out), "<g clip-path=\"url(#c{})\">\n", item.clip);
      open = item.clip;
    }
    std::visit(writer, item.shape);
  }
  if (open >= 0) out += "</g>\n";
  return out + "</g>\n</svg>\n";
}

}  // namespace plumb::plot
