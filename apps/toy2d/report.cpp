#include "apps/toy2d/report.h"

#include <limits>
#include <map>

#include "engine/format.h"
#include "engine/io/safetensors.h"

namespace plumb::toy2d {
namespace {

Json settings_json(const Settings& s, const std::vector<Method>& methods) {
  Json json = Json::object();
  json.set("classes", s.world.classes).set("radius", s.world.radius).set("sigma", s.world.sigma);
  json.set("noise_fraction", s.world.noise_fraction).set("inflation", s.world.inflation);
  json.set("pairs_per_class", s.pairs_per_class).set("samples_per_class", s.samples_per_class);
  json.set("training_samples_per_class", s.training_samples_per_class);
  json.set("reference_steps", s.reference_steps).set("reference_batch", s.reference_batch);
  json.set("reference_learning_rate", s.reference_learning_rate);
  json.set("num_train_timesteps", s.schedule.num_train_timesteps);
  json.set("beta_start", s.schedule.beta_start).set("beta_end", s.schedule.beta_end);
  json.set("seeds", s.seeds).set("first_seed", s.first_seed).set("quick", s.quick);
  Json table = Json::object();
  for (const Method& m : methods) {
    Json row = Json::object();
    row.set("objective", m.objective).set("beta", m.beta).set("lr", m.learning_rate);
    row.set("steps", m.steps).set("pairs_per_step", m.pairs_per_step);
    table.set(m.name, std::move(row));
  }
  return json.set("methods", std::move(table));
}

Json row_json(const RowSummary& row, int64_t pairs_per_class) {
  Json json = Json::object();
  json.set("method", row.row.method).set("pairs", row.row.pairs).set("sampler", row.row.sampler);
  json.set("pairs_per_class", pairs_per_class).set("seeds", list_of(row.seeds));
  return json.set("metrics", spreads_json(row.metrics));
}

Json curve_json(const CurvePoint& point) {
  Json json = Json::object();
  json.set("method", point.row.method).set("pairs", point.row.pairs).set("sampler", point.row.sampler);
  json.set("seed", point.seed).set("step", point.step).set("accuracy", point.metrics.accuracy);
  json.set("sw2", point.metrics.sw2).set("spread", point.metrics.spread);
  return json.set("center_distance", point.metrics.center_distance);
}

/// Absent numbers are written as null.
double or_nan(const std::optional<double>& value) { return value.value_or(std::numeric_limits<double>::quiet_NaN()); }

}  // namespace

Json spreads_json(const std::vector<std::pair<std::string_view, Spread>>& spreads) {
  Json metrics = Json::object();
  for (const auto& [name, spread] : spreads) {
    Json entry = Json::object();
    entry.set("mean", spread.mean()).set("std", spread.deviation()).set("values", list_of(spread.values));
    metrics.set(name, std::move(entry));
  }
  return metrics;
}

Json metrics_json(const Settings& settings, const std::vector<Method>& methods, const Results& results,
                  const std::vector<RowSummary>& rows, const std::vector<Claim>& claims, const StudyReport* study) {
  Json row_list = Json::array(), curve_list = Json::array(), claim_list = Json::array();
  for (const RowSummary& row : rows) row_list.push_back(row_json(row, settings.pairs_per_class));
  for (const CurvePoint& point : results.curves) curve_list.push_back(curve_json(point));
  for (const Claim& claim : claims) {
    Json entry = Json::object();
    entry.set("paper", claim.paper).set("claim", claim.claim).set("verdict", claim.verdict);
    claim_list.push_back(entry.set("evidence", claim.evidence));
  }
  Json json = Json::object();
  json.set("settings", settings_json(settings, methods)).set("rows", std::move(row_list));
  json.set("curves", std::move(curve_list)).set("claims", std::move(claim_list));
  return study ? json.set("study", study_json(*study)) : json;
}

Json log_json(const LogLine& line) {
  const StepStatistics& s = line.statistics;
  Json json = Json::object();
  json.set("method", line.row.method).set("pairs", line.row.pairs).set("seed", line.seed).set("step", line.step);
  json.set("loss", s.loss).set("lr", line.learning_rate).set("grad_norm", line.grad_norm).set("error_w", s.error_w);
  json.set("error_l", or_nan(s.error_l)).set("ref_error_w", or_nan(s.ref_error_w));
  json.set("ref_error_l", or_nan(s.ref_error_l)).set("margin", or_nan(s.margin));
  json.set("reference_divergence", or_nan(s.reference_divergence));
  json.set("implicit_accuracy", or_nan(s.implicit_accuracy)).set("logit_abs_median", or_nan(s.logit_abs_median));
  return json.set("saturated", or_nan(s.saturated));
}

void write_samples(const std::string& path, const Results& results) {
  TensorMap tensors;
  for (const RowResult& result : results.rows)
    tensors.emplace(
        fmt::format("{}/{}/{}/seed{}", result.row.method, result.row.pairs, result.row.sampler, result.seed),
        result.samples);
  tensors.emplace("centers", results.centers);
  save_safetensors(path, tensors);
}

}  // namespace plumb::toy2d
