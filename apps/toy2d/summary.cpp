#include "apps/toy2d/summary.h"

#include <algorithm>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb::toy2d {
namespace {

std::array<double, kMetricNames.size()> metric_values(const RowResult& row) {
  const ModeMetrics& m = row.metrics;
  return {m.accuracy, m.center_distance, m.radial_shift, m.spread,       m.sw2,
          m.energy,   m.outliers,        m.overlap,      row.score_error};
}

bool is_degenerate(const std::string& name) {
  const std::vector<Method>& methods = all_methods();
  return std::any_of(methods.begin(), methods.end(), [&](const Method& m) { return m.name == name && m.degenerate; });
}

}  // namespace

const Spread& RowSummary::operator[](std::string_view metric) const {
  for (const auto& [name, spread] : metrics)
    if (name == metric) return spread;
  raise<ValueError>("summary: no such metric ({})", metric);
}

std::vector<RowSummary> summarize(const Results& results) {
  std::vector<RowSummary> rows;
  for (const RowResult& result : results.rows) {
    if (rows.empty() || rows.back().row != result.row) {
      rows.push_back({result.row, {}, {}});
      for (std::string_view name : kMetricNames) rows.back().metrics.emplace_back(name, Spread{});
    }
    const auto values = metric_values(result);
    for (size_t i = 0; i < values.size(); ++i) rows.back().metrics[i].second.values.push_back(values[i]);
    rows.back().seeds.push_back(result.seed);
  }
  return rows;
}

const RowSummary* find_row(const std::vector<RowSummary>& rows, const RowName& name) {
  for (const RowSummary& row : rows)
    if (row.row == name) return &row;
  return nullptr;
}

std::string format_table(const std::vector<RowSummary>& rows) {
  constexpr std::array<std::string_view, 7> kShown = {"accuracy", "center_distance", "spread", "sw2",
                                                      "energy",   "outliers",        "overlap"};
  std::string text = fmt::format("{:<20} {:<10} {:<8}", "method", "pairs", "sampler");
  for (std::string_view name : kShown) text += fmt::format(" {:>15}", name);
  text += '\n';
  bool degenerate = false;
  for (const RowSummary& row : rows) {
    const bool marked = is_degenerate(row.row.method);
    degenerate = degenerate || marked;
    text += fmt::format("{:<20} {:<10} {:<8}", row.row.method + (marked ? " *" : ""), row.row.pairs, row.row.sampler);
    for (std::string_view name : kShown)
      text += fmt::format(" {:>15}", row.seeds.size() > 1
                                         ? fmt::format("{:.3f} ±{:.3f}", row[name].mean(), row[name].deviation())
                                         : fmt::format("{:.3f}", row[name].mean()));
    text += '\n';
  }
  if (degenerate) text += "* degenerate: where training starts its gradient is zero, and it stays there\n";
  return text;
}

}  // namespace plumb::toy2d
