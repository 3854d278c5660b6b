#include "apps/toy2d/study/figures.h"

#include <algorithm>
#include <cmath>

#include "apps/common/plot/figure.h"
#include "apps/common/plot/save.h"
#include "apps/toy2d/study/parts.h"
#include "engine/format.h"

namespace plumb::toy2d {
namespace {

/// A colour a method, the same in every figure.
plot::Color color_of(const std::string& method) {
  const std::vector<Method>& methods = all_methods();
  const auto found = std::find_if(methods.begin(), methods.end(), [&](const Method& m) { return m.name == method; });
  return plot::class_color(size_t(found - methods.begin()));
}

class StudyPainter {
 public:
  StudyPainter(const Settings& settings, const StudyReport& report)
      : settings_(settings), report_(report), source_(settings.pair_sources.front()) {}

  plot::Figure trajectories() const {
    plot::Figure figure;
    figure.columns = 2;
    figure.title =
        fmt::format("Past the early stop ({} pairs, DDIM-25, {} seed{})", source_, seeds(), seeds() == 1 ? "" : "s");
    const std::vector<std::string> shown = {"sft",  "diffusion_dpo", "dspo",     "diffusion_kto",
                                            "mapo", "self_dpo",      "ddspo_tf", "ddspo_oracle"};
    for (const char* metric : {"sw2", "spread", "radial_shift", "accuracy"}) {
      plot::Panel& panel = figure.add(metric);
      panel.x.label = "step";
      panel.legend = plot::Legend::none;
      for (const std::string& name : shown) panel.add(over_steps(kTrajectoryPart, name, metric, color_of(name)));
      for (const char* name : {"diffusion_dpo", "ddspo_tf"}) {
        plot::Line line = over_steps(kTrajectoryPart, fmt::format("{}, lr 0.0001", name), metric, color_of(name));
        line.dashed = true;
        panel.add(std::move(line));
      }
    }
    for (const std::string& name : shown) figure.legend.emplace_back(method_named(name).label, color_of(name));
    figure.legend.emplace_back("dashed: learning rate 1e-4", plot::kInk);
    return figure;
  }

  plot::Figure sweeps() const {
    plot::Figure figure;
    figure.columns = 2;
    figure.title = "sw2 over pairs a class, strength, temperature (DDIM-25)";
    for (const std::string& source : settings_.pair_sources) {
      plot::Panel& panel = log_panel(figure, source + " pairs", "pairs a class");
      for (const char* name : {"sft", "diffusion_dpo", "diffusion_kto", "ddspo_oracle", "ddspo_tf"})
        panel.add(
            over([&](const StudyRow& r) { return r.part == kPairsPart && r.variant == name && r.pairs == source; },
                 [](const StudyRow& r) { return double(r.pairs_per_class); }, name, color_of(name)));
    }
    plot::Panel& beta = log_panel(figure, "solid: 50 steps, dashed: 300", "beta");
    for (const char* name : {"diffusion_dpo", "ddspo_tf"})
      for (int64_t step : {kEarlySteps, kLateSteps}) {
        plot::Line line =
            over([&](const StudyRow& r) { return r.part == kBetaPart && r.method.name == name && r.step == step; },
                 [](const StudyRow& r) { return r.method.beta; }, step == kEarlySteps ? name : "", color_of(name));
        line.dashed = step == kLateSteps;
        beta.add(std::move(line));
      }
    plot::Panel& dspo = log_panel(figure, "DSPO, set apart", "temperature");
    for (size_t i = 0; i < kDspoLambdas.size(); ++i)
      dspo.add(over([&](const StudyRow& r) { return r.part == kDspoPart && r.method.lambda == kDspoLambdas[i]; },
                    [](const StudyRow& r) { return r.method.temperature.value_or(0); },
                    fmt::format("lambda {:g}", kDspoLambdas[i]), plot::class_color(i)));
    return figure;
  }

  /// Bars with names too long for an axis: numbered, the names in the legend.
  plot::Figure bars(const char* part, const std::string& title, int64_t step = 0) const {
    plot::Figure figure;
    figure.columns = 1;
    figure.panel_width = 620;
    figure.title = title;
    for (const std::string& source : settings_.pair_sources) {
      plot::Panel& panel = figure.add(source + " pairs");
      panel.y.label = "sw2";
      plot::Bars bars;
      for (const StudyRow& row : report_.rows) {
        if (row.part != part || row.pairs != source || (step != 0 && row.step != step) ||
            !std::isfinite(row["sw2"].mean()))
          continue;
        const size_t number = bars.names.size();
        bars.names.push_back(fmt::format("{}", number + 1));
        bars.heights.push_back(row["sw2"].mean());
        bars.errors.push_back(row["sw2"].deviation());
        bars.colors.push_back(plot::class_color(number));
        if (source == source_)
          figure.legend.emplace_back(fmt::format("{} {}", number + 1, row.variant), plot::class_color(number));
      }
      panel.add(std::move(bars));
    }
    return figure;
  }

  plot::Figure timesteps() const {
    plot::Figure figure;
    figure.columns = 2;
    figure.title = fmt::format("By timestep ({} pairs, mean and deviation over seeds)", source_);
    for (const char* title : {"rms error against the exact score", "scale of the implicit reward",
                              "preference accuracy", "implicit accuracy while training"}) {
      plot::Panel& panel = figure.add(title);
      panel.x.label = "t (noisier to the right)";
      panel.legend = plot::Legend::none;
    }
    plot::Panel &error = figure.panels[0], &scale = figure.panels[1], &accuracy = figure.panels[2],
                &implicit = figure.panels[3];
    implicit.x.label = "step";
    size_t number = 0;
    for (const StudyResult& result : report_.results) {
      if (result.run.part != kTimestepPart) continue;
      const plot::Color color = plot::class_color(number++);
      error.add(score_line(result, color));
      scale.add(bin_line(result, &TimestepBin::reward_scale, color));
      accuracy.add(bin_line(result, &TimestepBin::accuracy, color));
      figure.legend.emplace_back(result.run.variant, color);
    }
    for (const StudyResult& result : report_.results)
      if (result.run.part == kTrajectoryPart)
        for (const char* name : {"self_dpo", "diffusion_dpo"})
          if (result.run.variant == name) implicit.add(implicit_line(result, legend_color(figure, name)));
    return figure;
  }

 private:
  size_t seeds() const {
    for (const StudyRow& row : report_.rows)
      if (row.part == kTrajectoryPart) return row.seeds.size();
    return 0;
  }

  static plot::Panel& log_panel(plot::Figure& figure, const std::string& title, const char* axis) {
    plot::Panel& panel = figure.add(title);
    panel.x.label = axis;
    panel.y.label = "sw2";
    panel.x.log = true;
    return panel;
  }

  static plot::Color legend_color(const plot::Figure& figure, const std::string& name) {
    for (const auto& [label, color] : figure.legend)
      if (label == name) return color;
    return plot::kInk;
  }

  plot::Line over_steps(const char* part, const std::string& variant, const char* metric, plot::Color color) const {
    plot::Line line{.color = color};
    for (const StudyRow& row : report_.rows)
      if (row.part == part && row.variant == variant) line.points.push_back({double(row.step), row[metric].mean()});
    return line;
  }

  /// sw2 with its deviation over whatever `at` reads, of the rows that `wanted` picks.
  template <class Wanted, class At>
  plot::Line over(const Wanted& wanted, const At& at, const std::string& label, plot::Color color) const {
    plot::Line line{.color = color, .label = label};
    for (const StudyRow& row : report_.rows) {
      if (!wanted(row)) continue;
      line.points.push_back({at(row), row["sw2"].mean()});
      line.spread.push_back(row["sw2"].deviation());
    }
    return line;
  }

  static plot::Line line_of(const std::vector<Spread>& values, const std::vector<double>& at, plot::Color color) {
    plot::Line line{.color = color};
    for (size_t i = 0; i < values.size(); ++i) {
      line.points.push_back({at[i], values[i].mean()});
      line.spread.push_back(values[i].deviation());
    }
    return line;
  }

  static plot::Line score_line(const StudyResult& result, plot::Color color) {
    std::vector<Spread> values;
    std::vector<double> at;
    for (const StudyOutcome& outcome : result.outcomes) {
      values.resize(outcome.by_timestep.score_error.size());
      for (size_t t = 0; t < values.size(); ++t) values[t].values.push_back(outcome.by_timestep.score_error[t]);
    }
    for (size_t t = 0; t < values.size(); ++t) at.push_back(double(t));
    return line_of(values, at, color);
  }

  static plot::Line bin_line(const StudyResult& result, std::optional<double> TimestepBin::*value, plot::Color color) {
    std::vector<Spread> values;
    std::vector<double> at;
    for (const StudyOutcome& outcome : result.outcomes) {
      const std::vector<TimestepBin>& bins = outcome.by_timestep.rewards;
      values.resize(bins.size());
      at.clear();
      for (size_t b = 0; b < bins.size(); ++b) {
        values[b].values.push_back((bins[b].*value).value_or(std::nan("")));
        at.push_back(double(bins[b].begin + bins[b].end) / 2);
      }
    }
    return line_of(values, at, color);
  }

  /// Mean over seeds and over windows of ten steps.
  static plot::Line implicit_line(const StudyResult& result, plot::Color color) {
    constexpr size_t kWindow = 10;
    plot::Line line{.color = color};
    const size_t steps = result.outcomes.empty() ? 0 : result.outcomes.front().implicit_accuracy.size();
    for (size_t begin = 0; begin + kWindow <= steps; begin += kWindow) {
      Spread spread;
      for (const StudyOutcome& outcome : result.outcomes) {
        if (outcome.implicit_accuracy.size() < begin + kWindow) continue;
        double total = 0;
        for (size_t i = begin; i < begin + kWindow; ++i) total += outcome.implicit_accuracy[i];
        spread.values.push_back(total / double(kWindow));
      }
      if (spread.values.empty()) break;
      line.points.push_back({double(begin) + double(kWindow) / 2, spread.mean()});
      line.spread.push_back(spread.deviation());
    }
    return line;
  }

  const Settings& settings_;
  const StudyReport& report_;
  std::string source_;
};

}  // namespace

void draw_study(const std::string& directory, const Settings& settings, const StudyReport& report) {
  const StudyPainter painter(settings, report);
  const auto has = [&](const char* part) {
    return std::any_of(report.rows.begin(), report.rows.end(), [=](const StudyRow& row) { return row.part == part; });
  };
  if (has(kTrajectoryPart)) plot::save(painter.trajectories(), directory + "/study_trajectories");
  if (has(kPairsPart)) plot::save(painter.sweeps(), directory + "/study_sweeps");
  if (has(kAblationPart))
    plot::save(
        painter.bars(kAblationPart, fmt::format("Reference updates and timesteps, {} steps", kAblationSteps.front()),
                     kAblationSteps.front()),
        directory + "/study_ablation");
  if (has(kTimestepPart)) plot::save(painter.timesteps(), directory + "/study_timesteps");
  if (has(kTunedPart))
    plot::save(painter.bars(kTunedPart, "Every method at what the common search selected"), directory + "/study_tuned");
}

}  // namespace plumb::toy2d
