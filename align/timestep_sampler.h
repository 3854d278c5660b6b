#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/random/random_key.h"
#include "engine/tensor.h"
#include "nn/device_tables.h"

namespace plumb {

/// How training timesteps are distributed. t counts noise: T - 1 is the noisiest.
enum class TimestepSampling {
  uniform,       ///< every t alike
  aware,         ///< [0, T) in `bins` equal intervals; interval k, from the noisiest, with weight gamma^k
                 ///<                                                        [the Rethinking DPO paper, Cat(gamma^t)]
  linear,        ///< weight T - t, falling with t                           [DDSPO's released code]
  sigmoid,       ///< weight sigmoid(20 (t / T - 0.7))                       [DDSPO's released code]
                 // Flow matching; i = T - 1 - t counts from the noisiest, as diffusers' scripts index the scheduler.
  logit_normal,  ///< i = floor(T sigmoid(x)), x ~ N(mean, deviation^2)              [Esser et al. 2024, Sec. 3.1]
  mode,          ///< i = floor(T f(u)), f(u) = 1 - u - scale (cos^2(pi u / 2) - 1 + u), u uniform           [same]
};

/// "uniform", "aware", "linear", "sigmoid", "logit_normal", "mode". Throws ValueError listing them.
TimestepSampling timestep_sampling_from_name(std::string_view name);
std::string_view name_of(TimestepSampling kind);

struct TimestepSamplerOptions {
  TimestepSampling kind = TimestepSampling::uniform;
  double gamma = 0.9;              ///< of aware; 1 is uniform
  int64_t bins = 50;               ///< of aware; bins = T is the paper's literal distribution
  double mean = 0, deviation = 1;  ///< of logit_normal
  double mode_scale = 1.29;        ///< of mode
};

/// Draws timesteps in [0, T). The intervals of `aware` are equal on the real axis and t is the floor of a uniform point
/// of the chosen one: a t that a border cuts belongs to both in proportion, so bins need not divide T, gamma = 1 is
/// uniform for any number of bins, and more bins than timesteps are allowed.
class TimestepSampler {
 public:
  /// Throws ValueError unless T >= 1, 0 < gamma <= 1, bins >= 1, deviation > 0 and -1 <= mode_scale <= 2 / (pi - 2)
  /// (beyond which f is no longer monotonic).
  TimestepSampler(const TimestepSamplerOptions& options, int64_t num_train_timesteps);

  const TimestepSamplerOptions& options() const { return options_; }
  int64_t num_train_timesteps() const { return num_train_timesteps_; }

  /// i64 [n] on `device`, the same on each, from key.fork("t"). Draw i depends on the key and key.sample0 + i alone.
  /// The uniform distribution, gamma = 1 included, is randint(key.fork("t"), 0, T, {n}).
  Tensor draw(const RandomKey& key, int64_t n, Device device = kCpu) const;

  /// Probability of each t, f64 [T]; sums to 1 up to rounding.
  Tensor probabilities() const;

 private:
  bool is_uniform() const;

  TimestepSamplerOptions options_;
  int64_t num_train_timesteps_;
  std::vector<double> cumulative_;  // of t and everything below; the last is 1
  DeviceTables tables_;
};

}  // namespace plumb
