#include "apps/eval/score_report.h"

#include <cmath>

#include "apps/common/interval_json.h"
#include "apps/common/spread.h"
#include "engine/format.h"

namespace plumb {
namespace {

/// A column of everything: {"all", "mean_of_categories", "categories"}.
Json column_json(const BootstrapMeans& means, const std::vector<std::string>& categories, size_t column) {
  const size_t columns = means.all.size();
  Json by_category = Json::object();
  for (size_t s = 0; s < categories.size(); ++s)
    by_category.set(categories[s], to_json(means.strata[s * columns + column]));
  Json json = Json::object().set("all", to_json(means.all[column]));
  json.set("mean_of_categories", to_json(means.mean_of_strata[column]));
  return json.set("categories", std::move(by_category));
}

/// column_json with what several runs add: each run's mean, their deviation, intervals that resample runs.
Json with_runs(const ScoreMeans& means, const std::vector<std::string>& categories, size_t column) {
  Json json = column_json(means.prompts, categories, column);
  if (!means.runs) return json;
  std::vector<double> by_run;
  for (size_t i = column; i < means.run_means.size(); i += means.prompts.all.size())
    by_run.push_back(means.run_means[i]);
  json.set("runs", Json(Json::Array(by_run.begin(), by_run.end()))).set("runs_std", Spread{by_run}.deviation());
  return json.set("over_runs", column_json(*means.runs, categories, column));
}

Json counts_json(const WinCounts& counts) {
  return Json::object().set("wins", counts.wins).set("ties", counts.ties).set("losses", counts.losses);
}

std::string interval_text(const Interval& interval, bool sign) {
  if (std::isnan(interval.mean)) return "-";
  const auto number = [&](double value) { return sign ? fmt::format("{:+.3f}", value) : fmt::format("{:.3f}", value); };
  if (std::isnan(interval.low)) return number(interval.mean);
  return fmt::format("{} [{}, {}]", number(interval.mean), number(interval.low), number(interval.high));
}

/// Row 0 is all, row 1 the mean of categories, then the categories.
const Interval& row_of(const BootstrapMeans& means, size_t row, size_t column) {
  if (row == 0) return means.all[column];
  if (row == 1) return means.mean_of_strata[column];
  return means.strata[(row - 2) * means.all.size() + column];
}

std::string comparison_cells(const ScoreSummary& theirs, const ScoreComparison& comparison, size_t row, size_t field) {
  const BootstrapMeans& means = comparison.means.prompts;
  std::string text = fmt::format(
      "  {:<21}  {:<24}  {:<21}", interval_text(row_of(theirs.means.prompts, row, field), false),
      interval_text(row_of(means, row, 2 * field), true), interval_text(row_of(means, row, 2 * field + 1), false));
  if (row == 1) return text;
  const WinCounts& counts =
      row == 0 ? comparison.all[field] : comparison.by_category[(row - 2) * comparison.fields.size() + field];
  return text + fmt::format("  {}/{}/{}", counts.wins, counts.ties, counts.losses);
}

std::string trimmed_line(const std::string& line) {
  return line.substr(0, line.find_last_not_of(' ') + 1).append(1, '\n');
}

}  // namespace

Json scores_json(const ScoreSummary& summary, const std::vector<ScoreFile>& files) {
  Json paths = Json::array(), fields = Json::object(), categories = Json::object();
  for (const ScoreFile& file : files) paths.push_back(file.path);
  for (size_t s = 0; s < summary.categories.size(); ++s)
    categories.set(
        summary.categories[s],
        Json::object().set("prompts", summary.by_category[s].prompts).set("pictures", summary.by_category[s].pictures));
  for (size_t f = 0; f < summary.fields.size(); ++f) {
    Json field = with_runs(summary.means, summary.categories, f);
    fields.set(summary.fields[f], field.set("scored", summary.all.scored[f]));
  }
  Json json = Json::object().set("files", std::move(paths)).set("pictures", summary.all.pictures);
  json.set("prompts", summary.all.prompts).set("categories", std::move(categories));
  return json.set("fields", std::move(fields));
}

Json comparison_json(const ScoreComparison& comparison) {
  Json fields = Json::object();
  for (size_t f = 0; f < comparison.fields.size(); ++f) {
    Json counts = counts_json(comparison.all[f]), by_category = Json::object();
    for (size_t s = 0; s < comparison.categories.size(); ++s)
      by_category.set(comparison.categories[s], counts_json(comparison.by_category[s * comparison.fields.size() + f]));
    Json field = Json::object();
    field.set("difference", with_runs(comparison.means, comparison.categories, 2 * f));
    field.set("win_rate", with_runs(comparison.means, comparison.categories, 2 * f + 1));
    fields.set(comparison.fields[f], field.set("counts", counts.set("categories", std::move(by_category))));
  }
  Json json = Json::object().set("pairs", comparison.pairs).set("unmatched", comparison.unmatched);
  return json.set("fields", std::move(fields));
}

std::string format_scores(const ScoreSummary& ours, const ScoreSummary* theirs, const ScoreComparison* comparison) {
  std::string text;
  for (size_t f = 0; f < ours.fields.size(); ++f) {
    std::string head = fmt::format("{:<20} {:>8}  {:<21}", ours.fields[f], "prompts", "mean");
    if (comparison)
      head += fmt::format("  {:<21}  {:<24}  {:<21}  wins/ties/losses", "against", "difference", "win rate");
    if (f > 0) text += '\n';
    text += trimmed_line(head);
    for (size_t row = 0; row < ours.categories.size() + 2; ++row) {
      const bool single = ours.categories.size() == 1;
      if (single && row > 0) break;  // the one category is all
      const std::string name = row == 0 ? "all" : row == 1 ? "mean of categories" : ours.categories[row - 2];
      const int64_t prompts = row < 2 ? ours.all.prompts : ours.by_category[row - 2].prompts;
      std::string line =
          fmt::format("{:<20} {:>8}  {:<21}", name, prompts, interval_text(row_of(ours.means.prompts, row, f), false));
      if (comparison) line += comparison_cells(*theirs, *comparison, row, f);
      text += trimmed_line(line);
    }
  }
  return text;
}

}  // namespace plumb
