#include "apps/common/plot/panel.h"

#include <algorithm>
#include <cmath>

#include "apps/common/plot/axes.h"
#include "apps/common/plot/draw_marks.h"
#include "apps/common/plot/font.h"
#include "apps/common/plot/legend.h"

namespace plumb::plot {
namespace {

constexpr double kTitleSize = 14, kCaptionSize = 11.5, kTickSize = 10, kLabelSize = 11;
constexpr double kTickLength = 3;
constexpr double kXSpacing = 52, kYSpacing = 40;  // pixels between ticks, at least
constexpr double kBarWidth = 9, kBarGap = 8;      // the colour bar of a heat map

const Bars* bars_of(const Panel& panel) {
  for (const Mark& mark : panel.marks) {
    if (auto* bars = std::get_if<Bars>(&mark)) return bars;
  }
  return nullptr;
}

const HeatMap* heat_map_of(const Panel& panel) {
  for (const Mark& mark : panel.marks) {
    if (auto* map = std::get_if<HeatMap>(&mark)) return map;
  }
  return nullptr;
}

double widest_name(const Bars& bars) {
  double widest = 0;
  for (const std::string& name : bars.names) widest = std::max(widest, text_width(name, kTickSize));
  return widest;
}

// Names of bars are turned when they would touch.
bool names_turned(const Bars& bars, double box_width) {
  return widest_name(bars) + 6 > box_width / static_cast<double>(std::max<std::size_t>(1, bars.names.size()));
}

int wanted_ticks(double pixels, double each) { return std::clamp(static_cast<int>(pixels / each), 2, 10); }

void draw_x_ticks(const Panel& panel, const Axes& axes, Scene& scene) {
  Strokes marks{{}, 1, kFrame, 0};
  double base = axes.box.bottom + kTickLength;
  if (const Bars* bars = bars_of(panel)) {
    bool turned = names_turned(*bars, axes.box.width());
    for (std::size_t i = 0; i < bars->names.size(); ++i) {
      Point at{axes.x.at(static_cast<double>(i)), base + kTickSize + 2};
      if (turned) at = {at.x + 4, base + kTickSize - 1};
      scene.add(
          Label{at, bars->names[i], kTickSize, kSoftInk, turned ? Anchor::end : Anchor::middle, turned ? 35.0 : 0.0});
    }
    return;
  }
  double free_from = axes.box.left - 20;
  for (const Tick& tick : axes.x.ticks(wanted_ticks(axes.box.width(), kXSpacing))) {
    double x = axes.x.at(tick.value), half = text_width(tick.text, kTickSize) / 2;
    marks.lines.push_back({{x, axes.box.bottom}, {x, base}});
    if (x - half < free_from) continue;  // labels never touch
    free_from = x + half + 4;
    scene.add(Label{{x, base + kTickSize + 1}, tick.text, kTickSize, kSoftInk, Anchor::middle});
  }
  scene.add(std::move(marks));
}

void draw_y_ticks(const Panel& panel, const Axes& axes, Scene& scene) {
  Strokes marks{{}, 1, kFrame, 0};
  for (const Tick& tick : axes.y.ticks(wanted_ticks(axes.box.height(), panel.equal ? kXSpacing : kYSpacing))) {
    double y = axes.y.at(tick.value);
    marks.lines.push_back({{axes.box.left - kTickLength, y}, {axes.box.left, y}});
    scene.add(
        Label{{axes.box.left - kTickLength - 3, y + kTickSize * 0.36}, tick.text, kTickSize, kSoftInk, Anchor::end});
  }
  scene.add(std::move(marks));
}

void draw_grid(const Panel& panel, const Axes& axes, int clip, Scene& scene) {
  Strokes grid{{}, 1, kGrid, 0};
  if (panel.x.ticks && !bars_of(panel)) {
    for (const Tick& tick : axes.x.ticks(wanted_ticks(axes.box.width(), kXSpacing))) {
      double x = axes.x.at(tick.value);
      grid.lines.push_back({{x, axes.box.top}, {x, axes.box.bottom}});
    }
  }
  if (panel.y.ticks) {
    for (const Tick& tick : axes.y.ticks(wanted_ticks(axes.box.height(), panel.equal ? kXSpacing : kYSpacing))) {
      double y = axes.y.at(tick.value);
      grid.lines.push_back({{axes.box.left, y}, {axes.box.right, y}});
    }
  }
  if (!grid.lines.empty()) scene.add(std::move(grid), clip);
}

void draw_color_bar(const HeatMap& map, const Rect& box, Scene& scene) {
  constexpr std::size_t kSteps = 64;
  auto limits = heat_limits(map);
  Rect bar{box.right + kBarGap, box.top, box.right + kBarGap + kBarWidth, box.bottom};
  Cells cells{bar, 1, {}};
  for (std::size_t i = kSteps; i-- > 0;) {
    double value = limits.first + (limits.second - limits.first) * (static_cast<double>(i) + 0.5) / kSteps;
    cells.colors.push_back(heat_color(map, value, limits));
  }
  scene.add(std::move(cells));
  Scale scale{limits.first, limits.second, bar.bottom, bar.top};
  for (const Tick& tick : scale.ticks(wanted_ticks(box.height(), 50))) {
    scene.add(Label{{bar.right + 4, scale.at(tick.value) + kTickSize * 0.36}, tick.text, kTickSize, kSoftInk});
  }
}

// What the tick labels under the axes take.
double ticks_height(const Panel& panel, double box_width) {
  if (!panel.x.ticks) return 0;
  const Bars* bars = bars_of(panel);
  // Turned by 35 degrees, a name hangs sin(35) of its length down.
  if (bars && names_turned(*bars, box_width)) return widest_name(*bars) * 0.58 + kTickSize;
  return kTickSize + kTickLength + 2;
}

void draw_words(const Panel& panel, const Rect& box, Scene& scene) {
  double middle = (box.left + box.right) / 2, below = box.bottom + ticks_height(panel, box.width());
  if (!panel.title.empty()) {
    scene.add(Label{{middle, box.top - 9}, panel.title, kTitleSize, kInk, Anchor::middle, 0, true});
  }
  if (!panel.x.label.empty()) {
    below += kLabelSize + 6;
    scene.add(Label{{middle, below - 3}, panel.x.label, kLabelSize, kInk, Anchor::middle});
  }
  if (!panel.caption.empty()) {
    below += kCaptionSize + 9;
    scene.add(Label{{middle, below - 3}, panel.caption, kCaptionSize, kSoftInk, Anchor::middle});
  }
  if (!panel.y.label.empty()) {
    double left = box.left - panel_margins(panel, box.width()).left;
    scene.add(
        Label{{left + kLabelSize, (box.top + box.bottom) / 2}, panel.y.label, kLabelSize, kInk, Anchor::middle, 90});
  }
}

// Clouds that follow one another are laid down in turns, a part of each at a time: where they overlap the colours mix
// instead of the last one hiding the others. Returns the first mark after them.
std::size_t draw_clouds(const Panel& panel, std::size_t first, const Axes& axes, int clip, Scene& scene) {
  constexpr std::size_t kTurns = 12;
  std::size_t end = first;
  while (end < panel.marks.size() && std::holds_alternative<Scatter>(panel.marks[end])) ++end;
  std::size_t turns = end - first > 1 ? kTurns : 1;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    for (std::size_t i = first; i < end; ++i) {
      const Scatter& cloud = std::get<Scatter>(panel.marks[i]);
      std::size_t count = cloud.points.size();
      draw_points(cloud, turn * count / turns, (turn + 1) * count / turns, axes, clip, scene);
    }
  }
  return end;
}

}  // namespace

Margins panel_margins(const Panel& panel, double box_width) {
  for (const Mark& mark : panel.marks) check_mark(mark);
  Margins m;
  if (!panel.title.empty()) m.top += kTitleSize + 6;
  Axes axes = fit_axes(panel, {0, 0, box_width, box_width});
  if (panel.y.ticks) {
    double widest = 0;
    for (const Tick& tick : axes.y.ticks(10)) widest = std::max(widest, text_width(tick.text, kTickSize));
    m.left += widest + kTickLength + 3;
  }
  if (!panel.y.label.empty()) m.left += kLabelSize + 5;
  m.bottom += ticks_height(panel, box_width);
  if (!panel.x.label.empty()) m.bottom += kLabelSize + 6;
  if (!panel.caption.empty()) m.bottom += kCaptionSize + 9;
  if (heat_map_of(panel)) m.right += kBarGap + kBarWidth + 34;
  if (panel.legend == Legend::beside) m.right += legend_width(panel);
  return m;
}

void draw_panel(const Panel& panel, const Rect& box, Scene& scene) {
  Axes axes = fit_axes(panel, box);
  int clip = static_cast<int>(scene.clips.size());
  scene.clips.push_back(box);
  draw_grid(panel, axes, clip, scene);
  for (std::size_t i = 0; i < panel.marks.size();) {
    if (std::holds_alternative<Scatter>(panel.marks[i])) {
      i = draw_clouds(panel, i, axes, clip, scene);
    } else {
      draw_mark(panel.marks[i++], axes, clip, scene);
    }
  }
  scene.add(Strokes{{{{box.left, box.top},
                      {box.right, box.top},
                      {box.right, box.bottom},
                      {box.left, box.bottom},
                      {box.left, box.top}}},
                    1,
                    kFrame,
                    0});
  if (panel.x.ticks) draw_x_ticks(panel, axes, scene);
  if (panel.y.ticks) draw_y_ticks(panel, axes, scene);
  if (const HeatMap* map = heat_map_of(panel)) draw_color_bar(*map, box, scene);
  draw_words(panel, box, scene);
  if (panel.legend != Legend::none) draw_legend(panel, axes, scene);
}

}  // namespace plumb::plot
