#include "apps/shapes/study/report.h"

#include "apps/common/interval_json.h"
#include "apps/common/spread.h"
#include "engine/format.h"

namespace plumb::study {
namespace {

/// Of the models' tests at a guidance, or at each one's own best.
Spread tested(const RowResult& row, std::optional<double> guidance, Field field) {
  Spread spread;
  for (const Trained& model : row.models)
    spread.values.push_back(mean_of(model.tests.at(guidance.value_or(row.own_best)), field));
  return spread;
}

std::string shown(const Spread& spread) {
  return spread.values.size() > 1 ? fmt::format("{:.3f} ±{:.3f}", spread.mean(), spread.deviation())
                                  : fmt::format("{:.3f}", spread.mean());
}

std::string shown(const std::optional<Interval>& interval) {
  if (!interval) return "-";
  return fmt::format("{:+.3f} [{:+.3f}, {:+.3f}]", interval->mean, interval->low, interval->high);
}

std::string table_line(const Results& results, const RowResult& row) {
  if (row.models.empty()) return fmt::format("{:<30} every run ended by a health rule\n", row.name);
  const double best = results.reference_best;
  std::string line =
      fmt::format("{:<30} {:>13} {:>13} {:>13} {:>4.1f}", row.name, shown(tested(row, 1.0, kCorrect)),
                  shown(tested(row, best, kCorrect)), shown(tested(row, std::nullopt, kCorrect)), row.own_best);
  return line + fmt::format(" {:>6.3f}\n", tested(row, best, kUnreadable).mean());
}

std::string format_rows(const Results& results, const RandomKey& key) {
  std::string text = fmt::format("{:<30} {:>13} {:>13} {:>13} {:>4} {:>6}\n", "row", "at 1",
                                 fmt::format("at {:g}", results.reference_best), "at its best", "", "unread");
  for (const RowResult& row : results.rows) text += table_line(results, row);
  text += fmt::format("\n{:<30} {:<24} {:<24} {:<24} {}\n", "minus reference, 95%", "at 1",
                      fmt::format("at {:g}", results.reference_best), "each at its best", "wins");
  for (const RowResult& row : results.rows) {
    const auto against = compare_rows(results, row.name, "reference", results.reference_best, key);
    if (row.name == "reference" || !against) continue;
    const auto at = [&](std::optional<double> guidance) {
      return shown(difference_of(results, row.name, "reference", guidance, key));
    };
    text += fmt::format("{:<30} {:<24} {:<24} {:<24} {:.3f}\n", row.name, at(1.0), at(results.reference_best),
                        at(std::nullopt), widest(against->means, 2 * kCorrect + 1).mean);
  }
  return text;
}

std::string format_categories(const Results& results, const RandomKey& key) {
  std::string text;
  for (const RowResult& row : results.rows) {
    std::vector<ScoreFile> files;
    for (const Trained& model : row.models) files.push_back(model.tests.at(results.reference_best));
    if (files.empty()) continue;
    const ScoreSummary summary = summarize_scores(files, {}, key);
    if (text.empty()) {
      text = fmt::format("{:<30}", fmt::format("by category, at {:g}", results.reference_best));
      for (const std::string& category : summary.categories) text += fmt::format(" {:>18}", category);
      text += '\n';
    }
    text += fmt::format("{:<30}", row.name);
    for (size_t i = 0; i < summary.categories.size(); ++i)
      text += fmt::format(" {:>18.3f}", summary.means.prompts.strata[i * summary.fields.size() + kCorrect].mean);
    text += '\n';
  }
  return text;
}

std::string format_search(const Results& results) {
  std::string text = fmt::format("{:<30} {:>10} {:>6} {:>6} {:>8}   of\n", "search", "rate", "steps", "beta", "score");
  for (const auto& [name, tuned] : results.tuned) {
    if (tuned.runs.empty()) continue;
    double best = 0;
    for (const Searched& run : tuned.runs) best = std::max(best, run.score);
    text += fmt::format("{:<30} {:>10.2g} {:>6} {:>6.2g} {:>8.3f}   {}\n", name, tuned.best.learning_rate,
                        tuned.best.steps, tuned.best.beta, best, tuned.runs.size());
  }
  return text;
}

std::string format_claims(const std::vector<Judged>& claims) {
  std::string text;
  for (const Judged& judged : claims)
    text +=
        fmt::format("{:<12} {:<13} {}: {}; at 1 {}, each at its best {}\n", judged.claim.table, word_of(judged.verdict),
                    judged.claim.claim, shown(judged.difference), shown(judged.at_one), shown(judged.at_own_best));
  return text;
}

Json candidate_json(const Candidate& settings) {
  return Json::object()
      .set("learning_rate", settings.learning_rate)
      .set("steps", settings.steps)
      .set("beta", settings.beta);
}

Json model_json(const Trained& model) {
  Json tests = Json::array();
  for (const auto& [guidance, scores] : model.tests)
    tests.push_back(Json::object()
                        .set("guidance", guidance)
                        .set("correct", mean_of(scores, kCorrect))
                        .set("partial", mean_of(scores, kPartial))
                        .set("unreadable", mean_of(scores, kUnreadable))
                        .set("pictures", int64_t(scores.pictures.size())));
  return Json::object().set("seed", model.seed).set("tests", std::move(tests));
}

Json row_json(const Results& results, const RowResult& row, const RandomKey& key) {
  Json models = Json::array(), curve = Json::array();
  for (const auto& [guidance, score] : row.curve)
    curve.push_back(Json::object().set("guidance", guidance).set("correct", score));
  for (const Trained& model : row.models) models.push_back(model_json(model));
  Json json = Json::object();
  json.set("row", row.name).set("paper", row.paper).set("pairs", row.data);
  if (row.settings.steps > 0) json.set("settings", candidate_json(row.settings));
  json.set("unhealthy", row.unhealthy).set("models", std::move(models));
  json.set("curve", std::move(curve)).set("own_best", row.own_best);
  if (const auto at_one = difference_of(results, row.name, "reference", 1.0, key))
    json.set("minus_reference_at_1", to_json(*at_one));
  if (const auto at_own = difference_of(results, row.name, "reference", std::nullopt, key))
    json.set("minus_reference_at_own_best", to_json(*at_own));
  if (const auto against = compare_rows(results, row.name, "reference", results.reference_best, key)) {
    json.set("minus_reference", to_json(widest(against->means, 2 * kCorrect)));
    json.set("win_rate", to_json(widest(against->means, 2 * kCorrect + 1)));
  }
  return json;
}

Json search_json(const Results& results) {
  Json json = Json::object();
  for (const auto& [name, tuned] : results.tuned) {
    Json runs = Json::array();
    for (const Searched& run : tuned.runs)
      runs.push_back(candidate_json(run.settings).set("correct", run.score).set("healthy", run.healthy));
    if (runs.size() > 0) json.set(name, std::move(runs));
  }
  return json;
}

}  // namespace

std::string format_report(const Results& results, const RandomKey& key) {
  return fmt::format("{}\n{}\n{}\n{}", format_rows(results, key), format_categories(results, key),
                     format_search(results), format_claims(judge_claims(results, key)));
}

Json report_json(const Recipe& recipe, const Results& results, const RandomKey& key) {
  Json rows = Json::array(), claims = Json::array();
  for (const RowResult& row : results.rows) rows.push_back(row_json(results, row, key));
  for (const Judged& judged : judge_claims(results, key)) {
    Json claim = Json::object();
    claim.set("table", judged.claim.table).set("claim", judged.claim.claim);
    claim.set("a", judged.claim.a).set("b", judged.claim.b).set("margin", judged.claim.margin);
    claim.set("verdict", word_of(judged.verdict)).set("difference", to_json(judged.difference));
    if (judged.at_one) claim.set("difference_at_1", to_json(*judged.at_one));
    if (judged.at_own_best) claim.set("difference_at_own_best", to_json(*judged.at_own_best));
    claims.push_back(std::move(claim));
  }
  Json json = Json::object();
  json.set("seed", recipe.global.seed).set("prompts", recipe.prompts).set("images", recipe.images);
  json.set("sampler", recipe.sampler).set("num_inference_steps", recipe.inference_steps);
  json.set("reference_best_guidance", results.reference_best).set("rows", std::move(rows));
  return json.set("search", search_json(results)).set("claims", std::move(claims));
}

}  // namespace plumb::study
