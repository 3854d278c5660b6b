#pragma once

#include <optional>
#include <string>

#include "align/preference_trainer.h"
#include "apps/align/models.h"
#include "apps/common/training_flags.h"
#include "apps/pairs/make_pairs.h"
#include "engine/io/json.h"

namespace plumb {

/// Which objective, with which options.
struct ObjectiveChoice {
  std::string name = "diffusion_dpo";
  std::optional<double> beta = {};  ///< absent: the published strength
  KeyValues set = {};
};

/// --objective --policy --beta_dpo --set.
void add_objective_flags(Flags& flags, ObjectiveChoice& objective, std::string& policy);

/// --reward_scale.
void add_reward_scale_flag(Flags& flags, RewardScale& scale);

/// The options the objective is made with: --set's, and beta. Without one, beta is the published one's strength per
/// unit of squared error, beta / (2d) at 4x64x64, brought to points of `dimensions`; DSPO's 0.001 is left as it is.
/// Throws UsageError for --beta_dpo beside --set beta, or for an objective without beta.
ObjectiveSettings objective_settings(const ObjectiveChoice& choice, const std::string& policy, int64_t dimensions);

/// Whether the options ask for errors that are sums over elements.
bool sums_elements(const ObjectiveSettings& settings);

/// What every run of `plumb align` can be told, on points or pictures. Flag names are diffusers' where it has one.
/// Published defaults are AdamW's, the clip, the rate's course and beta (by strength); rate, steps and batch are those
/// of the 2D experiment, for the published ones belong to networks of 10^9 weights.
struct PreferenceSettings {
  GlobalFlags global{.out = "runs/align"};
  std::string model = {};
  std::string data = {};  ///< the pairs
  bool one_pair_per_prompt = false;
  ObjectiveChoice objective = {};
  AlignModelOptions models = {};
  int64_t batch = 64;
  int64_t accumulation = 1;
  OptimizerSettings optimizer{.adam = {.learning_rate = 3e-5, .weight_decay = 1e-2},
                              .lr = {.kind = LrScheduleKind::constant_with_warmup, .total_steps = 50},
                              .max_grad_norm = 1};
  bool scale_lr = false;
  MixedPrecision mixed_precision = MixedPrecision::no;
  bool cuda_graph = true;
  bool merge_lora = false;
  double perturb_init = 0;  ///< standard deviation of noise on the student's first weights
  PreferenceTrainerOptions trainer{.divergence_every = 10};
  ReferenceUpdateOptions reference{.tau = 0, .delta = 0.05};
  int64_t log_bins_steps = 10;
  int64_t validation_steps = 0;
  CheckpointSettings checkpoints = {};
  HealthLimits health = {};

  int64_t steps() const { return optimizer.steps(); }
  int64_t effective_batch() const { return batch * accumulation; }
};

/// Flags of every run: the objective, training, timesteps, the reference.
void add_objective_flags(Flags& flags, PreferenceSettings& settings);
void add_training_flags(Flags& flags, PreferenceSettings& settings);
void add_timestep_flags(Flags& flags, PreferenceSettings& settings);
void add_reference_flags(Flags& flags, PreferenceSettings& settings);
void add_random_condition_flags(Flags& flags, PreferenceSettings& settings);
/// What is measured and logged on the way, checkpoints, health rules.
void add_watch_flags(Flags& flags, PreferenceSettings& settings);

/// Settings that follow from others: the scaled rate, the micro-batch, the reference update, the compute type. Call
/// after parsing. Throws UsageError for a batch that is too large, or for fp16.
void resolve(PreferenceSettings& settings);

/// What `plumb align` can be told of a point model.
struct AlignSettings : PreferenceSettings {
  std::string pair_source = "clean";  ///< without data: clean, or model
  PairSettings pairs = {};
  int64_t num_validation_samples = 600;
};

void add_flags(Flags& flags, AlignSettings& settings);

/// What of a step is the host's work, in a few words, so that it cannot be one graph of a device; empty: nothing.
std::string host_work(const AlignSettings& settings);

/// As above, and the oracle's world.
void resolve(AlignSettings& settings);

}  // namespace plumb
