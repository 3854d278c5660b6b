#pragma once

#include <vector>

#include "align/preference.h"
#include "diffusion/denoiser.h"
#include "diffusion/parameterization.h"
#include "diffusion/schedule/noise_schedule.h"

namespace plumb {

/// A network and what it is told of the pairs, one row a pair: models may read text with encoders of their own.
struct PreferenceJudge {
  Denoiser* network = nullptr;
  Condition condition = {};
};

/// Noised pairs that judges look at.
struct JudgedPairs {
  Tensor winners, losers;  ///< x0, [B, …]
  int64_t first = 0;       ///< number of the first pair: its noise depends on it, not on the batch
  const NoiseSchedule* schedule = nullptr;
  Prediction prediction = Prediction::epsilon;
};

/// How a model orders each pair at timestep t, by errors against the forward process' target:
///   m = (e(xw) - r(xw)) - (e(xl) - r(xl)),  e the model's mean squared error, r the reference's
/// negative where it prefers the winner: the implicit reward of Diffusion-DPO is larger there. Winner and loser share
/// one noise, a function of key, pair and t alone. Without reference r is 0. f64 [B]. Nothing is recorded.
/// Throws ShapeError when winners and losers differ.
std::vector<double> preference_margins(const PreferenceJudge& model, const PreferenceJudge* reference,
                                       const JudgedPairs& pairs, int64_t t, const RandomKey& key);

/// `draws` timesteps for each of `bins` equal intervals of [0, T): the middles of bins * draws equal parts, ascending.
/// Throws ValueError unless there are that many timesteps.
std::vector<int64_t> judged_timesteps(int64_t num_train_timesteps, int64_t bins, int64_t draws);

}  // namespace plumb
