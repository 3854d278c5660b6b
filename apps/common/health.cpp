#include "apps/common/health.h"

#include <array>
#include <cmath>
#include <numeric>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

double mean_of(const std::deque<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}

/// What overflowed is kept as a huge number: a checkpoint's JSON has no infinities.
void push(std::deque<double>& window, double value, int64_t size) {
  constexpr double kHuge = 1e300;
  window.push_back(std::isfinite(value) ? value : kHuge);
  if (int64_t(window.size()) > size) window.pop_front();
}

Json to_json(const std::deque<double>& values) {
  Json array = Json::array();
  for (const double value : values) array.push_back(value);
  return array;
}

std::deque<double> window_from(const Json& state, std::string_view key, int64_t size) {
  std::deque<double> values;
  for (const Json& value : state.at(key).as_array()) push(values, value.as_number(), size);
  return values;
}

/// Where the unbroken row of broken steps begins that ends with `step`, the window's last; at the latest `step` itself.
template <class Broken>
int64_t first_broken(int64_t step, size_t window, const Broken& broken) {
  size_t i = window - 1;
  while (i > 0 && broken(i - 1)) --i;
  return step - int64_t(window - 1 - i);
}

/// NaN has a sign, which printf shows and nobody wants.
double unsigned_nan(double value) { return std::isnan(value) ? std::abs(value) : value; }

}  // namespace

HealthMonitor::HealthMonitor(const HealthLimits& limits) : limits_(limits) {
  require<ValueError>(limits.nan_steps >= 0, "health: nan_steps must not be negative ({})", limits.nan_steps);
  require<ValueError>(limits.collapse_factor >= 0, "health: collapse_factor must not be negative ({})",
                      limits.collapse_factor);
  for (const double share : {limits.spread_share, limits.saturation_share})
    require<ValueError>(share >= 0 && share <= 1, "health: a share must be in [0, 1] ({})", share);
  require<ValueError>(limits.window >= 1, "health: window must be at least 1 ({})", limits.window);
}

bool HealthMonitor::is_finite(const HealthSample& sample) {
  return std::isfinite(sample.loss) && std::isfinite(sample.grad_norm);
}

std::optional<HealthFinding> HealthMonitor::check(const HealthSample& sample) {
  if (!is_finite(sample)) {
    ++not_finite_;
    ++in_a_row_;
    return check_nan(sample);
  }
  in_a_row_ = 0;
  if (sample.error && sample.reference_error) {
    push(errors_, *sample.error, limits_.window);
    push(reference_errors_, *sample.reference_error, limits_.window);
  }
  if (sample.saturated) push(saturated_, *sample.saturated, limits_.window);
  using Rule = std::optional<HealthFinding> (HealthMonitor::*)(const HealthSample&) const;
  constexpr std::array<Rule, 3> kRules = {&HealthMonitor::check_collapse, &HealthMonitor::check_spread,
                                          &HealthMonitor::check_saturation};
  for (const Rule rule : kRules)
    if (std::optional<HealthFinding> finding = (this->*rule)(sample)) return finding;
  return std::nullopt;
}

std::optional<HealthFinding> HealthMonitor::check_nan(const HealthSample& sample) const {
  if (limits_.nan_steps == 0 || in_a_row_ < limits_.nan_steps) return std::nullopt;
  return HealthFinding{"nan",
                       sample.step,
                       sample.step - in_a_row_ + 1,
                       double(in_a_row_),
                       double(limits_.nan_steps),
                       fmt::format("nan: loss {}, gradient norm {} at step {}, not finite for {} step(s) (limit {})",
                                   unsigned_nan(sample.loss), unsigned_nan(sample.grad_norm), sample.step, in_a_row_,
                                   limits_.nan_steps)};
}

std::optional<HealthFinding> HealthMonitor::check_collapse(const HealthSample& sample) const {
  if (limits_.collapse_factor == 0 || int64_t(errors_.size()) < limits_.window) return std::nullopt;
  const double error = mean_of(errors_), reference = mean_of(reference_errors_);
  // Written so that a reference error of NaN is found, too.
  if (error <= limits_.collapse_factor * reference) return std::nullopt;
  const double value = error / reference;
  const auto broken = [&](size_t i) { return !(errors_[i] <= limits_.collapse_factor * reference_errors_[i]); };
  return HealthFinding{"collapse",
                       sample.step,
                       first_broken(sample.step, errors_.size(), broken),
                       value,
                       limits_.collapse_factor,
                       fmt::format("collapse: the error is {:.4g} times the reference's over the last {} steps at step "
                                   "{} (limit {})",
                                   value, limits_.window, sample.step, limits_.collapse_factor)};
}

std::optional<HealthFinding> HealthMonitor::check_spread(const HealthSample& sample) const {
  if (limits_.spread_share == 0 || !sample.spread || !sample.reference_spread) return std::nullopt;
  if (*sample.spread >= limits_.spread_share * *sample.reference_spread) return std::nullopt;
  const double value = *sample.spread / *sample.reference_spread;
  return HealthFinding{"spread",
                       sample.step,
                       sample.step,
                       value,
                       limits_.spread_share,
                       fmt::format("spread: samples spread {:.4g} as far as the reference's at step {} (limit {})",
                                   value, sample.step, limits_.spread_share)};
}

std::optional<HealthFinding> HealthMonitor::check_saturation(const HealthSample& sample) const {
  if (limits_.saturation_share == 0 || int64_t(saturated_.size()) < limits_.window) return std::nullopt;
  const double value = mean_of(saturated_);
  if (value <= limits_.saturation_share) return std::nullopt;
  const auto broken = [&](size_t i) { return saturated_[i] > limits_.saturation_share; };
  return HealthFinding{"saturation",
                       sample.step,
                       first_broken(sample.step, saturated_.size(), broken),
                       value,
                       limits_.saturation_share,
                       fmt::format("saturation: {:.4g} of the pairs have |z| > 10 over the last {} steps at step {} "
                                   "(limit {})",
                                   value, limits_.window, sample.step, limits_.saturation_share)};
}

Json HealthMonitor::state() const {
  Json state = Json::object();
  state.set("not_finite", not_finite_).set("in_a_row", in_a_row_).set("errors", to_json(errors_));
  return state.set("reference_errors", to_json(reference_errors_)).set("saturated", to_json(saturated_));
}

void HealthMonitor::restore(const Json& state) {
  HealthMonitor fresh(limits_);
  fresh.not_finite_ = state.at("not_finite").as_integer();
  fresh.in_a_row_ = state.at("in_a_row").as_integer();
  fresh.errors_ = window_from(state, "errors", limits_.window);
  fresh.reference_errors_ = window_from(state, "reference_errors", limits_.window);
  fresh.saturated_ = window_from(state, "saturated", limits_.window);
  require<ValueError>(fresh.errors_.size() == fresh.reference_errors_.size(),
                      "health: {} errors belong to {} of the reference", fresh.errors_.size(),
                      fresh.reference_errors_.size());
  *this = fresh;
}

}  // namespace plumb
