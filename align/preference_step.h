#pragma once

#include "align/objective.h"
#include "align/policy_pair.h"
#include "align/preference.h"

namespace plumb {

/// What is drawn for a batch of pairs, and what else goes with each.
struct PairDraw {
  Tensor t = {};             ///< i64 [B]
  Tensor noise = {};         ///< like batch.winners
  Tensor loser_t = {};       ///< i64 [B], the losers' own; undefined: t
  Tensor loser_noise = {};   ///< the losers' own; undefined: noise
  Tensor labels = {};        ///< ObjectiveInput's, [2B]
  Tensor logit_scale = {};   ///< ObjectiveInput's
  Tensor statistics = {};    ///< ObjectiveInput's
  Condition rolled = {};     ///< other samples' conditions, B rows, for an objective that reads_rolled_conditions()
  Tensor takes_policy = {};  ///< bool [B]: where false, the targets are the forward process'; undefined: all true
};

/// What one step of preference fine-tuning is made of. Everything outlives the step.
struct PreferenceStep {
  Denoiser* student = nullptr;
  Denoiser* reference = nullptr;  ///< in force now; may be null when the objective uses none
  Denoiser* initial = nullptr;  ///< the model fine-tuning began with: the policy pair's, also once the reference moves
  const Objective* objective = nullptr;
  PolicyPair* policy = nullptr;
  const NoiseSchedule* schedule = nullptr;
  Prediction prediction = Prediction::epsilon;
  /// Flow only: errors are those of the clean samples that velocities imply, x_s - s v, as SD3's scripts have them.
  bool precondition = false;

  /// Noises a batch of pairs, evaluates student, reference and policy pair, and returns the objective.
  /// t: i64 [B] · noise: like batch.winners; winner and loser of a pair share both · loser_noise: defined for
  /// independent noise. Losers are not evaluated when the objective does not use them, and each frozen forward runs
  /// once: while reference and initial model are the same network theirs are one, of 3B rows when the policy pair reads
  /// the initial model's. Throws ValueError when it does and the pairs have no c-.
  ObjectiveOutput operator()(const PreferencePairs& batch, const Tensor& t, const Tensor& noise,
                             const Tensor& loser_noise = {}) const;
  ObjectiveOutput operator()(const PreferencePairs& batch, const PairDraw& draw) const;
  /// What it gives the objective to read.
  ObjectiveInput evaluate(const PreferencePairs& batch, const PairDraw& draw) const;
};

/// The forward-process part of it: winners first, noised.
NoisedPairs noise_pairs(const NoiseSchedule& schedule, Prediction prediction, const PreferencePairs& batch,
                        const PairDraw& draw);

}  // namespace plumb
