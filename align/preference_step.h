#pragma once

#include "align/objective.h"
#include "align/policy_pair.h"
#include "align/preference.h"

namespace plumb {

/// What one step of preference fine-tuning is made of. Everything outlives the step.
struct PreferenceStep {
  Denoiser* student = nullptr;
  Denoiser* reference = nullptr;  ///< in force now; may be null when the objective uses none
  Denoiser* initial = nullptr;  ///< the model fine-tuning began with: the policy pair's, also once the reference moves
  const Objective* objective = nullptr;
  PolicyPair* policy = nullptr;
  const NoiseSchedule* schedule = nullptr;
  Prediction prediction = Prediction::epsilon;

  /// Noises a batch of pairs, evaluates student, reference and policy pair, and returns the objective.
  /// t: i64 [B] · noise: like batch.winners; winner and loser of a pair share both · loser_noise: defined for
  /// independent noise. Losers are not evaluated when the objective does not use them, and each frozen forward runs
  /// once: while reference and initial model are the same network they share it.
  ObjectiveOutput operator()(const PreferencePairs& batch, const Tensor& t, const Tensor& noise,
                             const Tensor& loser_noise = {}) const;
};

/// The forward-process part of it: winners first, noised.
NoisedPairs noise_pairs(const NoiseSchedule& schedule, Prediction prediction, const PreferencePairs& batch,
                        const Tensor& t, const Tensor& noise, const Tensor& loser_noise = {});

}  // namespace plumb
