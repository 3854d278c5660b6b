#include "align/timestep_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr std::array<std::pair<TimestepSampling, std::string_view>, 6> kNames = {{
    {TimestepSampling::uniform, "uniform"},
    {TimestepSampling::aware, "aware"},
    {TimestepSampling::linear, "linear"},
    {TimestepSampling::sigmoid, "sigmoid"},
    {TimestepSampling::logit_normal, "logit_normal"},
    {TimestepSampling::mode, "mode"},
}};

/// Weight of each t: the share of [t, t + 1) in interval k times gamma^k, summed over the intervals it touches.
/// Positions are in units of 1 / bins of a timestep, so that every border is an integer.
std::vector<double> aware_weights(int64_t timesteps, int64_t bins, double gamma) {
  std::vector<double> weights(size_t(timesteps), 0);
  for (int64_t t = 0; t < timesteps; ++t)
    for (int64_t at = t * bins; at < (t + 1) * bins;) {
      const int64_t bin = at / timesteps;  // from the least noisy
      const int64_t end = std::min((bin + 1) * timesteps, (t + 1) * bins);
      weights[size_t(t)] += double(end - at) * std::pow(gamma, double(bins - 1 - bin));
      at = end;
    }
  return weights;
}

/// P(sigmoid(x) <= p) for x ~ N(mean, deviation^2).
double logit_normal_below(double p, const TimestepSamplerOptions& options) {
  if (p <= 0 || p >= 1) return p <= 0 ? 0 : 1;
  return 0.5 * std::erfc((options.mean - std::log(p / (1 - p))) / (options.deviation * std::numbers::sqrt2));
}

/// P(f(u) <= p) for uniform u; f falls from 1 to 0.
double mode_below(double p, double scale) {
  double low = 0, high = 1;  // of u
  for (int i = 0; i < 100; ++i) {
    const double u = (low + high) / 2, cosine = std::cos(std::numbers::pi * u / 2);
    (1 - u - scale * (cosine * cosine - 1 + u) > p ? low : high) = u;
  }
  return 1 - low;
}

std::vector<double> density_weights(const TimestepSamplerOptions& options, int64_t timesteps) {
  std::vector<double> weights;
  const auto below = [&](int64_t index) {
    const double p = double(index) / double(timesteps);
    return options.kind == TimestepSampling::mode ? mode_below(p, options.mode_scale) : logit_normal_below(p, options);
  };
  for (int64_t t = 0; t < timesteps; ++t) weights.push_back(below(timesteps - t) - below(timesteps - 1 - t));
  return weights;
}

std::vector<double> make_weights(const TimestepSamplerOptions& options, int64_t timesteps) {
  if (options.kind == TimestepSampling::aware) return aware_weights(timesteps, options.bins, options.gamma);
  if (options.kind == TimestepSampling::logit_normal || options.kind == TimestepSampling::mode)
    return density_weights(options, timesteps);
  std::vector<double> weights(size_t(timesteps), 1);
  for (int64_t t = 0; t < timesteps; ++t) {
    if (options.kind == TimestepSampling::linear) weights[size_t(t)] = double(timesteps - t);
    if (options.kind == TimestepSampling::sigmoid)
      weights[size_t(t)] = 1 / (1 + std::exp(-20 * (double(t) / double(timesteps) - 0.7)));
  }
  return weights;
}

}  // namespace

TimestepSampling timestep_sampling_from_name(std::string_view name) {
  for (const auto& [kind, text] : kNames)
    if (text == name) return kind;
  raise<ValueError>("timestep sampling: must be uniform, aware, linear, sigmoid, logit_normal or mode ({})", name);
}

std::string_view name_of(TimestepSampling kind) {
  for (const auto& [known, text] : kNames)
    if (known == kind) return text;
  return "?";
}

TimestepSampler::TimestepSampler(const TimestepSamplerOptions& options, int64_t num_train_timesteps)
    : options_(options), num_train_timesteps_(num_train_timesteps) {
  require<ValueError>(num_train_timesteps >= 1, "timestep sampler: num_train_timesteps must be at least 1 ({})",
                      num_train_timesteps);
  require<ValueError>(options.gamma > 0 && options.gamma <= 1, "timestep sampler: gamma must be in (0, 1] ({})",
                      options.gamma);
  require<ValueError>(options.bins >= 1, "timestep sampler: bins must be at least 1 ({})", options.bins);
  require<ValueError>(options.deviation > 0, "timestep sampler: deviation must be positive ({})", options.deviation);
  require<ValueError>(options.mode_scale >= -1 && options.mode_scale <= 2 / (std::numbers::pi - 2),
                      "timestep sampler: mode_scale must be in [-1, 2 / (pi - 2)] ({})", options.mode_scale);
  cumulative_ = make_weights(options, num_train_timesteps);
  double total = 0;
  for (double& weight : cumulative_) weight = total += weight;
  for (double& sum : cumulative_) sum /= total;
}

bool TimestepSampler::is_uniform() const {
  return options_.kind == TimestepSampling::uniform ||
         (options_.kind == TimestepSampling::aware && options_.gamma == 1);
}

Tensor TimestepSampler::draw(const RandomKey& key, int64_t n, Device device) const {
  const RandomKey own = key.fork("t");
  if (is_uniform()) return randint(own, 0, num_train_timesteps_, {n}, device);
  const Tensor u = rand(own, {n}, DType::f64, device);
  if (device.is_cuda()) {
    // As many as are not above u, of all but the last: what upper_bound finds below, without the host.
    const Tensor borders = tables_.on(device, {}, [this] { return from_vector(cumulative_, {num_train_timesteps_}); });
    return sum(le(slice(borders, 0, 0, num_train_timesteps_ - 1), reshape(u, {n, 1})), {1});
  }
  Tensor t = empty({n}, DType::i64);
  for (int64_t i = 0; i < n; ++i)
    t.mutable_data<int64_t>()[i] =
        std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, u.data<double>()[i]) - cumulative_.begin();
  return t;
}

Tensor TimestepSampler::probabilities() const {
  if (is_uniform()) return full({num_train_timesteps_}, 1.0 / double(num_train_timesteps_), DType::f64);
  const std::vector<double> weights = make_weights(options_, num_train_timesteps_);
  double total = 0;
  for (const double weight : weights) total += weight;
  Tensor p = empty({num_train_timesteps_}, DType::f64);
  for (size_t t = 0; t < weights.size(); ++t) p.mutable_data<double>()[t] = weights[t] / total;
  return p;
}

}  // namespace plumb
