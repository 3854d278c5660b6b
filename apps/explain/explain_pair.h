#pragma once

#include <optional>
#include <string>

#include "apps/align/setup.h"
#include "engine/io/json.h"

namespace plumb {

/// Which pair, and at which noise.
struct PairChoice {
  int64_t pair = 0;               ///< row of the preference set
  std::optional<int64_t> t = {};  ///< absent: drawn from the key, as a training step draws it
};

/// One pair through the objective, as a training step of `setup` computes it with a batch of one. An object:
///   objective, policy, settings (the objective's), pair, pairs, c, c_minus, t, num_train_timesteps, abar
///   x0, noise, x_t, student, reference, target     {winner: [D], loser: [D]}; loser null where none takes part
///   error, ref_error       {winner, loser}: ew, el, rw, rl
///   margin                 (ew - el) - (rw - rl)
///   logit_scale, logit [], weight [] = 1 - sigmoid(logit)        of the pair; of both samples under Diffusion-KTO
///   offset                 Diffusion-KTO's k
///   loss
///   gradient               norms over the trained weights: total; winner, loser: what flows through one prediction
///                          alone, and the cosine between the two; denoising, preference: the two terms of Self-DPO and
///                          MaPO
///   warning                text, or null
/// What an objective does not have is null. Under Diffusion-KTO the loser has noise of its own at the same t; under
/// Self-DPO it is another winner.
/// Gradients of `setup` are overwritten, weights are not. Throws ValueError for a pair or t that does not exist.
Json explain_pair(AlignSetup& setup, const AlignSettings& settings, const PairChoice& choice, const RandomKey& key);

/// The same as text, with the formula beside each number.
std::string format_explanation(const Json& explanation);

}  // namespace plumb
