#pragma once

#include <vector>

#include "align/objective.h"
#include "align/policy_pair.h"
#include "align/preference.h"

namespace plumb {

/// What frozen models make of pairs whose draws are known beforehand, so that a step need not run them. A row a pair,
/// the winner's part first.
struct FrozenRows {
  Tensor errors = {};   ///< of the reference, f32 (f64 for f64) [B, 2], in the objective's reduction
  Tensor targets = {};  ///< the policy pair's, [B, 2, …]; undefined for the forward process' own

  bool defined() const { return errors.defined(); }
  FrozenRows rows(int64_t begin, int64_t end) const;
  static FrozenRows cat(const std::vector<FrozenRows>& parts);
};

/// What is drawn for a batch of pairs, and what else goes with each.
struct PairDraw {
  Tensor t = {};             ///< i64 [B]
  Tensor noise = {};         ///< like batch.winners
  Tensor loser_t = {};       ///< i64 [B], the losers' own; undefined: t
  Tensor loser_noise = {};   ///< the losers' own; undefined: noise
  Tensor labels = {};        ///< ObjectiveInput's, [2B]; those of unpaired samples are batch.labels
  Tensor logit_scale = {};   ///< ObjectiveInput's
  Tensor statistics = {};    ///< ObjectiveInput's
  Condition rolled = {};     ///< other samples' conditions, B rows, for an objective that reads_rolled_conditions()
  Tensor takes_policy = {};  ///< bool [B]: where false, the targets are the forward process'; undefined: all true
  FrozenRows frozen = {};    ///< of these draws, in place of the frozen models
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
  /// the initial model's. Throws ValueError when it does and the pairs have no c-. Samples judged one by one
  /// (batch.labels) are B rows, with the forward process' targets whatever the policy pair.
  ObjectiveOutput operator()(const PreferencePairs& batch, const Tensor& t, const Tensor& noise,
                             const Tensor& loser_noise = {}) const;
  ObjectiveOutput operator()(const PreferencePairs& batch, const PairDraw& draw) const;
  /// What it gives the objective to read.
  ObjectiveInput evaluate(const PreferencePairs& batch, const PairDraw& draw) const;
  /// The frozen models' part of it, for PairDraw::frozen; without the student. Throws ValueError for an objective that
  /// does not take reference errors, and for precondition.
  FrozenRows frozen_rows(const PreferencePairs& batch, const PairDraw& draw, Reduction reduction) const;
};

/// The forward-process part of it: winners first, noised.
NoisedPairs noise_pairs(const NoiseSchedule& schedule, Prediction prediction, const PreferencePairs& batch,
                        const PairDraw& draw);

}  // namespace plumb
