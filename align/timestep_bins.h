#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "align/preference_trainer.h"

namespace plumb {

/// What a run knows of one interval of timesteps. With r = -(e(student) - e(reference)), a sample's implicit reward.
struct TimestepBin {
  int64_t begin = 0, end = 0;          ///< timesteps begin <= t < end
  int64_t samples = 0;                 ///< winners and losers
  std::optional<double> error;         ///< mean e(student)
  std::optional<double> reward_scale;  ///< mean |r|; empty without a reference
  std::optional<double> accuracy;      ///< share of pairs with r_w > r_l, or of z > 0 without a reference; of samples
                                       ///< judged one by one, of those with s r > 0
};

/// Accumulates the scale of the implicit reward and the preference accuracy in equal intervals of t.
///                                                                        [the Rethinking DPO paper, Fig. 2 a-c]
/// A pair counts at its winner's t. Bin b holds the t with floor(t bins / T) = b.
class TimestepBins {
 public:
  /// Throws ValueError unless 1 <= bins <= T.
  explicit TimestepBins(int64_t num_train_timesteps, int64_t bins = 10);

  /// Adds the samples of a step. `timesteps`: i64, one for each row of output.error. Copies them to the host.
  void add(const ObjectiveOutput& output, const Tensor& timesteps);
  void add(const PreferenceStepResult& result) { add(result.output, result.timesteps); }

  /// Least noisy first. Values are empty where nothing was counted.
  std::vector<TimestepBin> bins() const;
  /// Forgets everything.
  void reset();

 private:
  struct Sums {
    double error = 0, reward = 0, right = 0;
    int64_t samples = 0, rewards = 0, judged = 0;
  };

  Sums& at(int64_t t);

  int64_t num_train_timesteps_;
  std::vector<Sums> sums_;
};

}  // namespace plumb
