#pragma once

#include <string_view>

#include "align/preference.h"
#include "diffusion/denoiser.h"
#include "diffusion/parameterization.h"
#include "diffusion/schedule/noise_schedule.h"
#include "engine/ops/loss/sample_error.h"

namespace plumb {

/// Weight of a timestep in the divergence.
///   constant   1
///   ddpm       beta_t / (2 (1 - abar_{t-1}) alpha_t), the coefficient of the exact KL divergence of DDPM's steps, with
///              1 - abar_{-1} raised to beta_0; for v and clean-sample networks times what their errors lack against
///              epsilon's (abar_t; abar_t / (1 - abar_t))
enum class DivergenceWeights { constant, ddpm };

struct DivergenceOptions {
  Prediction prediction = Prediction::epsilon;
  DivergenceWeights weights = DivergenceWeights::constant;
  int64_t pairs = 64;  ///< the first so many winners of a batch; 0: all
  Reduction reduction = Reduction::mean;
};

/// How far `model` has gone from `initial`, estimated on winners x0 of a batch with fresh t ~ U{0, …, T - 1} and noise,
/// the same for both models and both regressed on the forward process' target:
///   D = mean of  w(t) ( e(model, target) - e(initial, target) )
/// Signed: often negative at first. A mean over t, without the factor T of a whole chain. f64.
///                                                           [the Rethinking DPO paper, Eq. 8, with its sign]
/// Draws from key.fork("t") and key.fork("noise"). Throws ValueError for ddpm weights of a flow network.
double divergence(Denoiser& model, Denoiser& initial, const NoiseSchedule& schedule, const PreferencePairs& batch,
                  const RandomKey& key, const DivergenceOptions& options = {});

/// "constant", "ddpm". Throws ValueError listing them.
DivergenceWeights divergence_weights_from_name(std::string_view name);

}  // namespace plumb
