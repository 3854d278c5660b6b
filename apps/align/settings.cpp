#include "apps/align/settings.h"

#include <algorithm>

#include "apps/common/published_settings.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

const std::string* find_setting(const KeyValues& settings, std::string_view key) {
  for (const auto& [name, value] : settings)
    if (name == key) return &value;
  return nullptr;
}

void add_data_flags(Flags& flags, AlignSettings& s) {
  flags.add("--model", s.model, "model folder to begin with, as plumb train writes it").shown_as("FOLDER").required();
  flags.add("--data", s.data, "safetensors of pairs, as plumb pairs writes it; else they are made").shown_as("FILE");
  flags.add("--pair_source", s.pair_source, "without --data: the clean world, or the model", one_of({"clean", "model"}))
      .advanced();
  add_pair_flags(flags, s.pairs);
  flags.add("--one_pair_per_prompt", s.one_pair_per_prompt, "keep the first pair of every class (DSPO-nodup)")
      .advanced();
  flags.add("--radius", s.pairs.world.radius, "of the 2D world's ring (clean pairs, oracle)", positive()).advanced();
  flags.add("--sigma", s.pairs.world.sigma, "standard deviation of its modes", positive()).advanced();
}

void add_sample_flags(Flags& flags, AlignSettings& s) {
  flags
      .add("--validation_steps", s.validation_steps, "steps between samples drawn for their spread, 0: never",
           non_negative())
      .advanced();
  flags.add("--num_validation_samples", s.num_validation_samples, "points drawn", between(2, 1'000'000)).advanced();
}

}  // namespace

void add_objective_flags(Flags& flags, PreferenceSettings& s) {
  add_objective_flags(flags, s.objective, s.models.policy.name);
}

void add_training_flags(Flags& flags, PreferenceSettings& s) {
  flags.add("--max_train_steps", s.optimizer.lr.total_steps, "optimiser steps", at_least(1));
  flags.add("--train_batch_size", s.batch, "pairs of one forward", between(1, 10'000'000));
  flags.add("--gradient_accumulation_steps", s.accumulation, "forwards of one step", between(1, 10'000'000));
  add_optimizer_flags(flags, s.optimizer);
  add_precision_flag(flags, s.mixed_precision);
  add_graph_flag(flags, s.cuda_graph);
  flags.add("--scale_lr", s.scale_lr, "multiply the rate by the effective batch").advanced();
  flags.add("--use_lora", s.models.use_lora, "train low-rank adapters alone");
  flags.add("--rank", s.models.adapter.rank, "of the adapters", between(1, 65536)).advanced();
  flags.add("--lora_alpha", s.models.adapter.alpha, "their scale times rank, 0: the rank", non_negative()).advanced();
  flags.add("--merge_lora", s.merge_lora, "write the model with the adapter merged in").advanced();
}

void add_timestep_flags(Flags& flags, PreferenceSettings& s) {
  flags.add_choice("--timestep_sampling", s.trainer.timesteps.kind,
                   {{"uniform", TimestepSampling::uniform},
                    {"aware", TimestepSampling::aware},
                    {"linear", TimestepSampling::linear},
                    {"sigmoid", TimestepSampling::sigmoid}},
                   "which t are trained");
  flags
      .add("--timestep_gamma", s.trainer.timesteps.gamma, "of aware: weight of an interval over its noisier neighbour",
           above_to(0, 1))
      .advanced();
  flags.add("--timestep_bins", s.trainer.timesteps.bins, "of aware: equal intervals", between(1, 1'000'000)).advanced();
  add_reward_scale_flag(flags, s.trainer.reward_scale);
  flags.add("--independent_noise", s.trainer.independent_noise, "the loser gets noise of its own").advanced();
  flags.add("--perturb_init", s.perturb_init, "deviation of noise on the student's first weights", non_negative())
      .advanced();
  flags.add("--wanted_share", s.trainer.wanted_share, "of samples drawn under Diffusion-KTO", between(0, 1)).advanced();
  flags
      .add_choice("--statistics", s.trainer.statistics,
                  {{"microbatch", StatisticsScope::microbatch}, {"effective_batch", StatisticsScope::effective_batch}},
                  "what an objective's batch statistics extend over")
      .advanced();
}

void add_reference_flags(Flags& flags, PreferenceSettings& s) {
  flags.add("--ref_update_steps", s.reference.tau, "tau: steps after which the student becomes the reference, 0: never",
            non_negative());
  flags.add("--ref_divergence_bound", s.reference.delta, "delta: divergence at which that ends").advanced();
  flags
      .add_choice("--ref_test", s.reference.test,
                  {{"current", ReferenceTest::current}, {"candidate", ReferenceTest::candidate}}, "whose divergence")
      .advanced();
  flags
      .add_choice("--ref_policy", s.reference.policy,
                  {{"freeze", ReferencePolicy::freeze}, {"reinit", ReferencePolicy::reinit}}, "what happens then")
      .advanced();
  flags
      .add_choice("--ref_weights", s.reference.divergence.weights,
                  {{"constant", DivergenceWeights::constant}, {"ddpm", DivergenceWeights::ddpm}},
                  "weights of t in the divergence")
      .advanced();
  flags
      .add("--dd_max_train_steps", s.models.policy.data_driven.steps, "of the data-driven pair's adapters",
           non_negative())
      .advanced();
  flags.add("--dd_learning_rate", s.models.policy.data_driven.learning_rate, "of those", positive()).advanced();
  flags.add("--dd_rank", s.models.policy.data_driven.rank, "of those; alpha is the same", between(1, 65536)).advanced();
}

void add_random_condition_flags(Flags& flags, PreferenceSettings& s) {
  RandomConditionOptions& random = s.trainer.random_conditions;
  flags
      .add_choice("--random_condition", random.kind,
                  {{"none", RandomConditionKind::none},
                   {"constant", RandomConditionKind::constant},
                   {"exponential", RandomConditionKind::exponential},
                   {"sigmoid", RandomConditionKind::sigmoid}},
                  "how the chance that other prompts replace a pair's c and c- depends on t")
      .advanced();
  flags.add("--random_condition_probability", random.probability, "of constant", between(0, 1)).advanced();
  flags.add("--random_condition_noise", random.others_take_noise, "pairs not replaced take the forward process' target")
      .advanced();
}

void add_watch_flags(Flags& flags, PreferenceSettings& s) {
  flags
      .add("--divergence_steps", s.trainer.divergence_every, "steps between measured divergences, 0: never",
           non_negative())
      .advanced();
  flags
      .add("--log_bins_steps", s.log_bins_steps, "steps between reward scale and accuracy by t, 0: never",
           non_negative())
      .advanced();
  add_checkpoint_flags(flags, s.checkpoints);
  add_health_flags(flags, s.health, true);
}

void add_objective_flags(Flags& flags, ObjectiveChoice& objective, std::string& policy) {
  std::vector<std::string> names;
  for (const ObjectiveEntry& entry : objective_table()) names.emplace_back(entry.name);
  flags.add("--objective", objective.name, "what is minimised", one_of(names)).shown_as("NAME");
  flags
      .add("--policy", policy, "where targets come from", one_of({"forward", "training_free", "oracle", "data_driven"}))
      .shown_as("NAME");
  flags.add("--beta_dpo", objective.beta, "strength [published beta/(2d)]", non_negative());
  flags.add("--set", objective.set, "option of the objective, repeatable (docs/objectives/)").advanced();
}

void add_reward_scale_flag(Flags& flags, RewardScale& scale) {
  flags
      .add_choice("--reward_scale", scale,
                  {{"none", RewardScale::none},
                   {"minmax", RewardScale::minmax},
                   {"max", RewardScale::max},
                   {"mean", RewardScale::mean}},
                  "the logit's factor by noise")
      .advanced();
}

ObjectiveSettings objective_settings(const ObjectiveChoice& choice, const std::string& policy, int64_t dimensions) {
  ObjectiveSettings settings = choice.set;
  const bool given = find_setting(settings, "beta") != nullptr;
  require<UsageError>(!choice.beta || !given, "align: --beta_dpo {} and --set beta={}; give one of them",
                      choice.beta.value_or(0), given ? *find_setting(settings, "beta") : "");
  const PublishedSettings* published = find_published(choice.name, policy);
  const bool has_beta = choice.name != "sft" && choice.name != "mapo";
  require<UsageError>(!choice.beta || has_beta, "align: --beta_dpo {} for {}, which has no beta; leave it out{}",
                      choice.beta.value_or(0), choice.name,
                      choice.name == "mapo" ? " (--set b=X weighs its odds)" : "");
  constexpr double kTemperature = 1;  // betas below are DSPO's, which is no strength of this kind
  if (choice.beta) {
    settings.emplace_back("beta", fmt::format("{}", *choice.beta));
  } else if (!given && published && published->beta && *published->beta >= kTemperature) {
    const double factor = beta_factor(choice.name);
    const double strength = preference_strength(*published->beta, kPublishedElements, factor);
    const int64_t elements = sums_elements(settings) ? 1 : dimensions;
    settings.emplace_back("beta", fmt::format("{}", beta_of_strength(strength, elements, factor)));
  }
  return settings;
}

bool sums_elements(const ObjectiveSettings& settings) {
  const std::string* reduction = find_setting(settings, "reduction");
  return reduction && *reduction == "sum";
}

void add_flags(Flags& flags, AlignSettings& s) {
  add_data_flags(flags, s);
  add_objective_flags(flags, s);
  add_training_flags(flags, s);
  add_timestep_flags(flags, s);
  add_random_condition_flags(flags, s);
  add_reference_flags(flags, s);
  add_sample_flags(flags, s);
  add_watch_flags(flags, s);
  flags.make_advanced({"ref_update_steps", "pairs_per_class", "train_batch_size", "timestep_sampling",
                       "gradient_accumulation_steps", "lr_scheduler", "lr_warmup_steps", "max_grad_norm",
                       "checkpointing_steps", "resume_from_checkpoint"});
  flags.add_global(s.global);
  flags.example("plumb align --model runs/train/model --objective ddspo --policy training_free");
}

std::string host_work(const AlignSettings& s) {
  if (s.models.policy.name == "oracle") return "--policy oracle computes its scores on the host";
  if (s.objective.name == "self_dpo") return "self_dpo orders its losers on the host";
  return "";
}

void resolve(PreferenceSettings& s) {
  constexpr int64_t kMostPairs = 100'000'000;
  require<UsageError>(s.accumulation <= kMostPairs / s.batch,
                      "align: --train_batch_size {} times --gradient_accumulation_steps {} must be at most {} pairs",
                      s.batch, s.accumulation, kMostPairs);
  require<UsageError>(s.trainer.wanted_share == 0.5 || s.objective.name == "diffusion_kto",
                      "align: --wanted_share {} is diffusion_kto's; leave it out with {}", s.trainer.wanted_share,
                      s.objective.name);
  if (s.scale_lr) s.optimizer.adam.learning_rate *= double(s.effective_batch());
  s.trainer.max_grad_norm = s.optimizer.max_grad_norm;
  s.trainer.micro_batch = s.batch;
  if (s.reference.tau > 0) s.trainer.reference_update = s.reference;
  s.models.moving_reference = s.reference.tau > 0;
  s.models.dtype = compute_dtype(s.mixed_precision, "align");
  s.models.policy.data_driven.alpha = double(s.models.policy.data_driven.rank);
}

void resolve(AlignSettings& s) {
  resolve(static_cast<PreferenceSettings&>(s));
  s.models.world = s.pairs.world;
}

}  // namespace plumb
