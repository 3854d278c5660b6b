#include "apps/toy2d/study/rows.h"

#include <algorithm>
#include <limits>

#include "apps/toy2d/report.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb::toy2d {
namespace {

constexpr size_t kMetrics = kMetricNames.size() - 1;  // without score_error

std::array<double, kMetrics> metric_values(const StudyOutcome& outcome, int64_t step) {
  for (const StudyPoint& point : outcome.points)
    if (point.step == step) {
      const ModeMetrics& m = point.metrics;
      return {m.accuracy, m.center_distance, m.radial_shift, m.spread, m.sw2, m.energy, m.outliers, m.overlap};
    }
  std::array<double, kMetrics> none;
  none.fill(std::numeric_limits<double>::quiet_NaN());
  return none;
}

StudyRow row_of(const StudyResult& result, int64_t step) {
  const StudyRun& run = result.run;
  StudyRow row{run.part, run.variant, run.pairs, run.pairs_per_class, step, run.method, result.seeds, 0, {}};
  for (size_t m = 0; m < kMetrics; ++m) row.metrics.emplace_back(kMetricNames[m], Spread{});
  for (const StudyOutcome& outcome : result.outcomes) {
    row.diverged += outcome.diverged_at > 0 && outcome.diverged_at <= step;
    const auto values = metric_values(outcome, step);
    for (size_t m = 0; m < kMetrics; ++m) row.metrics[m].second.values.push_back(values[m]);
  }
  return row;
}

std::string shown(const Spread& spread) {
  return spread.values.size() > 1 ? fmt::format("{:.3f} ±{:.3f}", spread.mean(), spread.deviation())
                                  : fmt::format("{:.3f}", spread.mean());
}

std::string seeds_text(const std::vector<int64_t>& seeds) {
  return seeds.size() == 1 ? fmt::format("seed {}", seeds.front())
                           : fmt::format("seeds {} to {}", seeds.front(), seeds.back());
}

}  // namespace

const Spread& StudyRow::operator[](std::string_view metric) const {
  for (const auto& [name, spread] : metrics)
    if (name == metric) return spread;
  raise<ValueError>("study: no such metric ({})", metric);
}

std::vector<StudyRow> summarize_study(const std::vector<StudyResult>& results) {
  std::vector<StudyRow> rows;
  for (const StudyResult& result : results) {
    if (result.run.checkpoints.empty()) rows.push_back(row_of(result, result.run.method.steps));
    for (int64_t step : result.run.checkpoints) rows.push_back(row_of(result, step));
  }
  return rows;
}

const StudyRow* find_row(const std::vector<StudyRow>& rows, const StudyRowName& name) {
  const StudyRow* found = nullptr;
  for (const StudyRow& row : rows)
    if (row.part == name.part && row.variant == name.variant && row.pairs == name.pairs &&
        (name.pairs_per_class == 0 || row.pairs_per_class == name.pairs_per_class) &&
        (name.step == 0 || row.step == name.step))
      found = &row;
  return found;
}

std::string format_rows(const std::vector<StudyRow>& rows, std::string_view part, std::string_view title,
                        int64_t samples_per_class) {
  constexpr std::array<std::string_view, 6> kShown = {"accuracy", "center_distance", "radial_shift", "spread",
                                                      "sw2",      "energy"};
  std::string text;
  for (const StudyRow& row : rows) {
    if (row.part != part) continue;
    if (text.empty()) {
      text = fmt::format("{} (DDIM-25, {} samples a class, {})\n", title, samples_per_class, seeds_text(row.seeds));
      text += fmt::format("{:<38} {:<10} {:>3} {:>5}", "variant", "pairs", "N", "steps");
      for (std::string_view name : kShown) text += fmt::format(" {:>15}", name);
      text += '\n';
    }
    text += fmt::format("{:<38} {:<10} {:>3} {:>5}", row.variant, row.pairs, row.pairs_per_class, row.step);
    for (std::string_view name : kShown) text += fmt::format(" {:>15}", shown(row[name]));
    text += row.diverged ? fmt::format("  {} diverged\n", row.diverged) : "\n";
  }
  return text;
}

std::string format_steps(const std::vector<StudyRow>& rows, std::string_view part, std::string_view metric) {
  std::vector<int64_t> steps;
  std::vector<std::string> variants;
  for (const StudyRow& row : rows) {
    if (row.part != part) continue;
    if (std::find(steps.begin(), steps.end(), row.step) == steps.end()) steps.push_back(row.step);
    if (std::find(variants.begin(), variants.end(), row.variant) == variants.end()) variants.push_back(row.variant);
  }
  if (variants.empty()) return "";
  std::string text = fmt::format("{:<38}", fmt::format("{} after steps", metric));
  for (int64_t step : steps) text += fmt::format(" {:>7}", step);
  text += '\n';
  for (const std::string& variant : variants) {
    text += fmt::format("{:<38}", variant);
    for (int64_t step : steps)
      for (const StudyRow& row : rows)
        if (row.part == part && row.variant == variant && row.step == step)
          text += fmt::format(" {:>7.2f}", row[metric].mean());
    text += '\n';
  }
  return text;
}

Json row_json(const StudyRow& row, int64_t samples_per_class) {
  Json json = Json::object();
  json.set("part", row.part).set("variant", row.variant).set("method", row.method.name).set("pairs", row.pairs);
  json.set("sampler", "ddim25").set("pairs_per_class", row.pairs_per_class);
  json.set("samples_per_class", samples_per_class).set("step", row.step);
  json.set("lr", row.method.learning_rate).set("beta", row.method.beta).set("diverged", row.diverged);
  json.set("seeds", list_of(row.seeds));
  return json.set("metrics", spreads_json(row.metrics));
}

}  // namespace plumb::toy2d
