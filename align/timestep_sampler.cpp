#include "align/timestep_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "engine/format.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr std::array<std::pair<TimestepSampling, std::string_view>, 4> kNames = {{
    {TimestepSampling::uniform, "uniform"},
    {TimestepSampling::aware, "aware"},
    {TimestepSampling::linear, "linear"},
    {TimestepSampling::sigmoid, "sigmoid"},
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

std::vector<double> make_weights(const TimestepSamplerOptions& options, int64_t timesteps) {
  if (options.kind == TimestepSampling::aware) return aware_weights(timesteps, options.bins, options.gamma);
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
  raise<ValueError>("timestep sampling: must be uniform, aware, linear or sigmoid ({})", name);
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
  cumulative_ = make_weights(options, num_train_timesteps);
  double total = 0;
  for (double& weight : cumulative_) weight = total += weight;
  for (double& sum : cumulative_) sum /= total;
}

bool TimestepSampler::is_uniform() const {
  return options_.kind == TimestepSampling::uniform ||
         (options_.kind == TimestepSampling::aware && options_.gamma == 1);
}

Tensor TimestepSampler::draw(const RandomKey& key, int64_t n) const {
  const RandomKey own = key.fork("t");
  if (is_uniform()) return randint(own, 0, num_train_timesteps_, {n});
  const Tensor u = rand(own, {n}, DType::f64);
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
