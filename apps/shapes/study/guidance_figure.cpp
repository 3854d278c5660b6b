#include <algorithm>

#include "apps/common/plot/legend.h"
#include "apps/common/plot/save.h"
#include "apps/shapes/study/report.h"

namespace plumb::study {

void draw_guidance(const OutputDir& out, const Results& results) {
  plot::Figure figure;
  figure.columns = 1;
  figure.panel_width = 420;
  plot::Panel& panel = figure.add("validation prompts, share of correct pictures");
  panel.x.label = "guidance scale";
  panel.legend = plot::Legend::beside;  // so many lines leave no corner free
  std::size_t color = 0;
  for (const RowResult& row : results.rows) {
    if (row.models.empty()) continue;
    plot::Line line{.color = plot::kInk, .label = row.name};  // the reference, which all others are compared with
    if (row.name != "reference") line.color = plot::class_color(color++);
    for (const auto& [guidance, score] : row.curve) line.points.push_back({guidance, score});
    line.dashed = row.paper == "control";
    panel.add(std::move(line));
  }
  figure.panel_height = std::max(figure.panel_height, plot::legend_height(panel));
  plot::save(figure, out / "guidance");
}

}  // namespace plumb::study
