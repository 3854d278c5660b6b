#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "align/preference_step.h"
#include "align/random_condition.h"
#include "align/reference_update.h"
#include "align/reward_scale.h"
#include "align/step_statistics.h"
#include "align/timestep_sampler.h"
#include "nn/device_tables.h"
#include "nn/optim/optimizer.h"

namespace plumb {

/// Over what an objective's statistics of a batch (KTO's k, DSPO-XL's switch) and the batch transform extend when a
/// batch is accumulated from micro-batches: each by itself, as the released codes do, or all together, which takes a
/// second forward but gives the whole batch's gradient.
enum class StatisticsScope { microbatch, effective_batch };

/// Makes the pairs of a step out of those given, before they are noised (Self-DPO's losers, say). The key's sample0 is
/// the number of the first row within the effective batch.
using PairTransform = std::function<PreferencePairs(const PreferencePairs& batch, const RandomKey& key)>;

struct PreferenceTrainerOptions {
  Prediction prediction = Prediction::epsilon;
  bool precondition = false;  ///< PreferenceStep's, for flow
  TimestepSamplerOptions timesteps = {};
  RewardScale reward_scale = RewardScale::none;
  bool independent_noise = false;                               ///< the loser gets a noise of its own; t stays shared
  std::optional<ReferenceUpdateOptions> reference_update = {};  ///< none: the reference stays the initial model
  double max_grad_norm = 0;                                     ///< of the global clip; 0: none
  int64_t micro_batch = 0;                                      ///< pairs of one forward; 0: the whole batch
  StatisticsScope statistics = StatisticsScope::microbatch;
  PairTransform transform = {};
  RandomConditionOptions random_conditions = {};
  /// Share of wanted samples for an objective of unpaired samples (KTO). At 1/2 a pair is its winner and its loser;
  /// above it the loser's place is taken by the winner (with other noise) with probability 2p - 1, below it the
  /// winner's by the loser with 1 - 2p. Samples that come judged one by one are taken as they come.
  double wanted_share = 0.5;
  int64_t divergence_every = 0;  ///< steps between measurements of the student's divergence (reference_update's options
                                 ///< apply); 0: never
};

/// What preference fine-tuning works on. Everything outlives the trainer.
struct PreferenceModels {
  Denoiser* student = nullptr;
  Denoiser* initial = nullptr;  ///< frozen; the reference as long as that is not moved, and the policy pair's model
  const Objective* objective = nullptr;
  PolicyPair* policy = nullptr;
  const NoiseSchedule* schedule = nullptr;
  Optimizer* optimizer = nullptr;  ///< of the student's trained weights
  MovingReference moving = {};     ///< see ReferenceUpdate; by default a copy of the student
};

/// What one step did. Tensors are detached and stay on the device; step_statistics() reads them.
struct PreferenceStepResult {
  ObjectiveOutput output = {};                      ///< of the whole batch
  Tensor timesteps = {};                            ///< i64, one for each row of output.error
  Tensor grad_norm = {};                            ///< before clipping, f64, one element
  double learning_rate = 0;                         ///< the optimiser's in this step
  std::optional<double> divergence = {};            ///< of the student after the step, where measured
  std::optional<double> reference_divergence = {};  ///< of the last reference update's test
  PreferencePairs pairs = {};                       ///< the batch, transformed where that was for the whole of it
  RandomKey key = {};                               ///< the step's
};

/// The numbers every run logs, those of the step included.
StepStatistics step_statistics(const PreferenceStepResult& result);

/// One loop body for every way of preference fine-tuning: draws timesteps and noise, transforms the pairs, accumulates
/// gradients over micro-batches, clips, steps the optimiser, and moves the reference.
///
///   PreferenceTrainer trainer({.student = …, …}, {.timesteps = {.kind = TimestepSampling::aware}});
///   const PreferenceStepResult result = trainer.step(pairs.take(index), key.at_step(step));
///
/// The gradient of an accumulated batch is the whole batch's to rounding when the loss is a mean over pairs; see
/// StatisticsScope for the others. Draws belong to (key, row), so micro-batches do not change them.
class PreferenceTrainer {
 public:
  /// Throws ValueError when something needed is missing or an option is out of range.
  PreferenceTrainer(const PreferenceModels& models, const PreferenceTrainerOptions& options = {});

  /// One optimiser step. With a gradient that is not finite nothing is changed. The key is the step's: forks "t",
  /// "noise", "loser noise", "second sample", "wanted", "transform", "random conditions", "reference update" and
  /// "divergence" of it are used.
  PreferenceStepResult step(const PreferencePairs& batch, const RandomKey& key);
  /// Its two halves, for a caller that looks at loss and gradient before they are applied. gradients() changes nothing
  /// but gradients; apply() fills in what the result lacks: learning_rate and the divergences.
  /// With `frozen`, what frozen_rows() gave of the same pairs and key, no frozen model is run.
  PreferenceStepResult gradients(const PreferencePairs& batch, const RandomKey& key, const FrozenRows& frozen = {});
  /// What the frozen models make of that step, a micro-batch at a time; `reduction` is the objective's. Throws
  /// ValueError where it is not known before the step: a moving reference, random conditions, a transform, an objective
  /// that does not take reference errors.
  FrozenRows frozen_rows(const PreferencePairs& batch, const RandomKey& key, Reduction reduction);
  void apply(PreferenceStepResult& result);
  /// The halves of apply(): update() is the device's part, the optimiser's step, which changes nothing where loss or
  /// gradient is not finite; finish() is the host's, and is left out after such a step. A caller that captures
  /// gradients() and update() as one graph of the device calls finish() after each replay.
  void update(const PreferenceStepResult& result);
  /// Whether update() changes nothing, as a bool of one element on the device: for an average of the weights.
  static Tensor is_dropped(const PreferenceStepResult& result);
  void finish(PreferenceStepResult& result);

  /// The list of random conditions, where it is known only now: prompts, negatives, variants of options'. On the
  /// batches' device. Throws as RandomConditionOptions::check().
  void set_random_prompts(Condition prompts, Condition negatives, Tensor variants);

  Denoiser& reference() { return update_ ? update_->reference() : *models_.initial; }
  /// Null when the reference never moves.
  const ReferenceUpdate* reference_update() const { return update_.get(); }
  const TimestepSampler& timesteps() const { return sampler_; }

  /// For resuming, beside the student's weights and the optimiser's state: steps and ReferenceUpdate's.
  StateDict state_dict() const;
  /// Strict. Throws ValueError listing what does not fit.
  void load_state_dict(const StateDict& state);

 private:
  struct Drawn;
  /// Numbers for each t, wherever they are asked for.
  class Table {
   public:
    Table() = default;
    explicit Table(Tensor numbers) : numbers_(std::move(numbers)) {}
    bool defined() const { return numbers_.defined(); }
    Tensor on(Device device) const {
      return copies_.on(device, {}, [this] { return numbers_; });
    }

   private:
    Tensor numbers_;
    DeviceTables copies_;
  };

  Drawn draw(const PreferencePairs& batch, const RandomKey& key) const;
  PairDraw draw_of(const Drawn& drawn, int64_t begin, int64_t end) const;
  PreferenceStep now();
  void check_frozen() const;
  ObjectiveInput evaluate(const Drawn& drawn, int64_t begin, int64_t end, const Tensor& statistics);
  Tensor effective_statistics(const Drawn& drawn);
  ObjectiveOutput accumulate(const Drawn& drawn, Tensor& timesteps);

  PreferenceModels models_;
  PreferenceTrainerOptions options_;
  TimestepSampler sampler_;
  Table reward_scale_;       // [T], undefined without
  Table random_conditions_;  // p(t), [T], undefined without
  std::unique_ptr<ReferenceUpdate> update_;
  int64_t steps_ = 0;
};

}  // namespace plumb
