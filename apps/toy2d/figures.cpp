#include "apps/toy2d/figures.h"

#include <algorithm>
#include <map>

#include "apps/common/plot/figure.h"
#include "apps/common/plot/save.h"
#include "apps/toy2d/model_figures.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

class Painter {
 public:
  Painter(const Settings& settings, const std::vector<Method>& methods, const Results& results)
      : settings_(settings), methods_(methods), results_(results), sampler_(settings.samplers.front()) {}

  /// The paper's Fig. 2.
  plot::Figure headline() const {
    const std::string source = settings_.pair_sources.front();
    plot::Figure figure;
    figure.title = "Preference fine-tuning of a 2D diffusion model";
    add_panel(figure, {"truth", "none", "none"}, "Ground truth");
    add_panel(figure, {"noisy", "none", "none"}, "Noisy training set");
    add_panel(figure, {"reference", "none", sampler_}, "Reference model");
    for (const char* name : {"diffusion_dpo", "ddspo_oracle", "ddspo_tf"})
      add_panel(figure, {name, source, sampler_}, label_of(name));
    return figure;
  }

  /// Every row of the first sampler.
  plot::Figure all_rows() const {
    plot::Figure figure;
    figure.columns = 4;
    figure.panel_width = figure.panel_height = 220;
    for (const RowResult& row : results_.rows) {
      const bool first = row.seed == settings_.first_seed;
      if (!first || (row.row.sampler != "none" && row.row.sampler != sampler_)) continue;
      add_panel(figure, row.row, label_of(row.row.method));
      // Titles are too narrow for the pair source: it leads the caption.
      if (row.row.pairs != "none")
        figure.panels.back().caption =
            fmt::format("{} pairs   sw2 {:.2f}   spread {:.2f}", row.row.pairs, row.metrics.sw2, row.metrics.spread);
    }
    return figure;
  }

  /// Metrics over steps, one panel a metric, one line a method.
  plot::Figure curves() const {
    struct Shown {
      const char* title;
      double ModeMetrics::*metric;
    };
    const Shown shown[] = {{"sw2 (lower is better)", &ModeMetrics::sw2},
                           {"spread (truth: 1)", &ModeMetrics::spread},
                           {"accuracy", &ModeMetrics::accuracy},
                           {"center distance", &ModeMetrics::center_distance}};
    plot::Figure figure;
    figure.columns = 2;
    figure.title = "Metrics over fine-tuning steps";
    for (const Shown& metric : shown) {
      plot::Panel& panel = figure.add(metric.title);
      panel.x.label = "step";
      panel.legend = plot::Legend::none;
      for (size_t m = 0; m < methods_.size(); ++m)
        panel.add(plot::Line{.points = curve_of(methods_[m].name, metric.metric),
                             .color = plot::class_color(m),
                             .dashed = m >= plot::kClassColors});
    }
    for (size_t m = 0; m < methods_.size(); ++m)
      figure.legend.emplace_back(methods_[m].label + (m >= plot::kClassColors ? ", dashed" : ""), plot::class_color(m));
    return figure;
  }

 private:
  std::string label_of(const std::string& method) const {
    for (const Method& known : all_methods())
      if (known.name == method) return known.label;
    static const std::map<std::string, std::string> others = {{"truth", "Ground truth"},
                                                              {"noisy", "Noisy training set"},
                                                              {"reference", "Reference model"},
                                                              {"reference_guided", "Reference, guided from c-"}};
    const auto found = others.find(method);
    return found == others.end() ? method : found->second;
  }

  const RowResult* find(const RowName& name) const {
    for (const RowResult& row : results_.rows)
      if (row.row == name && row.seed == settings_.first_seed) return &row;
    return nullptr;
  }

  /// Limits that hold the noisy set of any world.
  double reach() const { return settings_.world.radius + 4 * settings_.world.sigma * settings_.world.inflation; }

  void add_panel(plot::Figure& figure, const RowName& name, const std::string& title) const {
    const RowResult* row = find(name);
    if (!row) return;
    plot::Panel& panel = figure.add(title, fmt::format("accuracy {:.2f}   sw2 {:.2f}   spread {:.2f}",
                                                       row->metrics.accuracy, row->metrics.sw2, row->metrics.spread));
    panel.equal = true;
    panel.x = panel.y = {.low = -reach(), .high = reach()};
    const std::vector<float> points = row->samples.to_vector<float>();
    const size_t per_class = size_t(row->samples.size(1));
    for (size_t k = 0; k < size_t(row->samples.size(0)); ++k) {
      plot::Scatter cloud{.color = plot::class_color(int(k))};
      for (size_t i = k * per_class; i < (k + 1) * per_class; ++i)
        cloud.points.push_back({double(points[2 * i]), double(points[2 * i + 1])});
      panel.add(std::move(cloud));
    }
    panel.add(plot::Crosses{.points = center_points(results_.centers)});
  }

  std::vector<plot::Point> curve_of(const std::string& method, double ModeMetrics::*metric) const {
    std::vector<plot::Point> points;
    for (const CurvePoint& point : results_.curves)
      if (point.row.method == method && point.row.pairs == settings_.pair_sources.front())
        points.push_back({double(point.step), point.metrics.*metric});
    return points;
  }

  const Settings& settings_;
  const std::vector<Method>& methods_;
  const Results& results_;
  std::string sampler_;
};

}  // namespace

void draw_figures(const std::string& directory, const Settings& settings, const std::vector<Method>& methods,
                  const Results& results) {
  const Painter painter(settings, methods, results);
  plot::save(painter.headline(), directory + "/figure");
  plot::save(painter.all_rows(), directory + "/methods");
  if (!results.curves.empty()) plot::save(painter.curves(), directory + "/curves");
  plot::save(trajectory_figure(settings, results), directory + "/trajectories");
  plot::save(field_figure(settings, results), directory + "/field");
}

}  // namespace plumb::toy2d
