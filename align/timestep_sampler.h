#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

/// How training timesteps are distributed. t counts noise: T - 1 is the noisiest.
enum class TimestepSampling {
  uniform,  ///< every t alike
  aware,    ///< [0, T) in `bins` equal intervals; interval k, from the noisiest, with weight gamma^k
            ///<                                                        [the Rethinking DPO paper, Cat(gamma^t)]
  linear,   ///< weight T - t, falling with t                           [DDSPO's released code]
  sigmoid,  ///< weight sigmoid(20 (t / T - 0.7))                       [DDSPO's released code]
};

/// "uniform", "aware", "linear", "sigmoid". Throws ValueError listing them.
TimestepSampling timestep_sampling_from_name(std::string_view name);
std::string_view name_of(TimestepSampling kind);

struct TimestepSamplerOptions {
  TimestepSampling kind = TimestepSampling::uniform;
  double gamma = 0.9;  ///< of aware; 1 is uniform
  int64_t bins = 50;   ///< of aware; bins = T is the paper's literal distribution
};

/// Draws timesteps in [0, T). The intervals of `aware` are equal on the real axis and t is the floor of a uniform point
/// of the chosen one: a t that a border cuts belongs to both in proportion, so bins need not divide T, gamma = 1 is
/// uniform for any number of bins, and more bins than timesteps are allowed.
class TimestepSampler {
 public:
  /// Throws ValueError unless T >= 1, 0 < gamma <= 1 and bins >= 1.
  TimestepSampler(const TimestepSamplerOptions& options, int64_t num_train_timesteps);

  const TimestepSamplerOptions& options() const { return options_; }
  int64_t num_train_timesteps() const { return num_train_timesteps_; }

  /// i64 [n], from key.fork("t"). Draw i depends on the key and key.sample0 + i alone. The uniform distribution, gamma
  /// = 1 included, is randint(key.fork("t"), 0, T, {n}).
  Tensor draw(const RandomKey& key, int64_t n) const;

  /// Probability of each t, f64 [T]; sums to 1 up to rounding.
  Tensor probabilities() const;

 private:
  bool is_uniform() const;

  TimestepSamplerOptions options_;
  int64_t num_train_timesteps_;
  std::vector<double> cumulative_;  // of t and everything below; the last is 1
};

}  // namespace plumb
