#include "apps/common/plot/figure.h"

#include <algorithm>

#include "apps/common/plot/legend.h"
#include "apps/common/plot/panel.h"
#include "engine/require.h"

namespace plumb::plot {

namespace {

// In place, for the same reason as in scene.cpp.
template <class M>
void append(Panel& panel, M&& mark) {
  panel.marks.emplace_back().emplace<std::decay_t<M>>(std::forward<M>(mark));
}

}  // namespace

void Panel::add(Scatter mark) { append(*this, std::move(mark)); }
void Panel::add(Crosses mark) { append(*this, std::move(mark)); }
void Panel::add(Line mark) { append(*this, std::move(mark)); }
void Panel::add(Arrows mark) { append(*this, std::move(mark)); }
void Panel::add(Bars mark) { append(*this, std::move(mark)); }
void Panel::add(HeatMap mark) { append(*this, std::move(mark)); }

Scene layout(const Figure& figure) {
  require<ValueError>(!figure.panels.empty() && figure.columns > 0,
                      "plot: a figure has panels and columns ({} panels, {} columns)", figure.panels.size(),
                      figure.columns);
  constexpr double kEdge = 10, kTitleSize = 18, kTitleHeight = 34, kLegendHeight = 26, kLegendRow = 20;
  // All panels share the widest margins, so that their axes line up.
  Margins margins;
  for (const Panel& panel : figure.panels) {
    Margins own = panel_margins(panel, figure.panel_width);
    margins = {std::max(margins.left, own.left), std::max(margins.top, own.top), std::max(margins.right, own.right),
               std::max(margins.bottom, own.bottom)};
  }
  std::size_t columns = std::min(figure.columns, figure.panels.size());
  std::size_t rows = (figure.panels.size() + columns - 1) / columns;
  double cell_width = margins.left + figure.panel_width + margins.right;
  double cell_height = margins.top + figure.panel_height + margins.bottom;
  double top = kEdge + (figure.title.empty() ? 0 : kTitleHeight);

  Scene scene;
  scene.title = figure.title.empty() ? figure.panels[0].title : figure.title;
  scene.width = 2 * kEdge + cell_width * static_cast<double>(columns);
  const std::vector<LegendEntries> legend = wrap_legend(figure.legend, scene.width - 2 * kEdge);
  const double legend_height = legend.empty() ? 0 : kLegendHeight + kLegendRow * static_cast<double>(legend.size() - 1);
  scene.height = top + cell_height * static_cast<double>(rows) + legend_height + kEdge;
  if (!figure.title.empty()) {
    scene.add(Label{{scene.width / 2, kEdge + kTitleSize}, figure.title, kTitleSize, kInk, Anchor::middle, 0, true});
  }
  for (std::size_t i = 0; i < figure.panels.size(); ++i) {
    double left = kEdge + cell_width * static_cast<double>(i % columns) + margins.left;
    double upper = top + cell_height * static_cast<double>(i / columns) + margins.top;
    Rect box{left, upper, left + figure.panel_width, upper + figure.panel_height};
    draw_panel(figure.panels[i], box, scene);
  }
  for (std::size_t i = 0; i < legend.size(); ++i) {
    const double below = legend_height - kLegendHeight / 2 - kLegendRow * static_cast<double>(i);
    draw_legend_line(legend[i], {scene.width / 2, scene.height - kEdge - below}, scene);
  }
  return scene;
}

}  // namespace plumb::plot
