#include "apps/train/settings.h"

#include <algorithm>
#include <array>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb::train {
namespace {

/// Flags that change nothing in what a run computes.
constexpr std::array kRunOnly = {
    "checkpointing_steps", "checkpoints_total_limit", "deterministic", "device",     "json", "out", "quiet",
    "report_to",           "resume_from_checkpoint",  "threads",       "train_data",
};
/// Flags that only shape the world's data.
constexpr std::array kWorldOnly = {"classes", "inflation", "noise_fraction", "radius", "samples_per_class", "sigma"};
constexpr const char* kDataHash = "data_sha256";

template <size_t N>
bool is_among(const std::array<const char*, N>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool depends_on_total(LrScheduleKind kind) {
  return kind != LrScheduleKind::constant && kind != LrScheduleKind::constant_with_warmup &&
         kind != LrScheduleKind::inverse_sqrt;
}

void add_data_flags(Flags& flags, Settings& s) {
  flags.add("--train_data", s.train_data, "safetensors: points [N, D], optional labels [N]; else the world")
      .shown_as("FILE");
  flags.add("--classes", s.world.classes, "modes of the 2D world", between(2, 100000));
  flags.add("--noise_fraction", s.world.noise_fraction, "share of a class's points at a neighbour", between(0, 1));
  flags.add("--samples_per_class", s.samples_per_class, "points drawn from the world", between(1, 10'000'000))
      .advanced();
  flags.add("--radius", s.world.radius, "of the world's ring", positive()).advanced();
  flags.add("--sigma", s.world.sigma, "standard deviation of a mode", positive()).advanced();
  flags.add("--inflation", s.world.inflation, "factor on sigma in the training set", positive()).advanced();
}

void add_diffusion_flags(Flags& flags, Settings& s) {
  flags.add_choice(
      "--prediction_type", s.prediction,
      {{"epsilon", Prediction::epsilon}, {"sample", Prediction::sample}, {"v_prediction", Prediction::v_prediction}},
      "what the network predicts");
  flags.add_choice("--beta_schedule", s.schedule.beta_schedule,
                   {{"linear", BetaSchedule::linear},
                    {"scaled_linear", BetaSchedule::scaled_linear},
                    {"squaredcos_cap_v2", BetaSchedule::squaredcos_cap_v2}},
                   "noise schedule");
  flags.add("--beta_start", s.schedule.beta_start, "first beta", positive()).advanced();
  flags.add("--beta_end", s.schedule.beta_end, "last beta", positive()).advanced();
  flags.add("--num_train_timesteps", s.schedule.num_train_timesteps, "T", between(1, 1'000'000)).advanced();
  flags.add("--hidden", s.network.hidden, "features of a hidden layer", between(1, 65536)).advanced();
  flags.add("--hidden_layers", s.network.hidden_layers, "hidden layers", between(1, 1000)).advanced();
}

void add_optimizer_flags(Flags& flags, Settings& s) {
  flags.add("--max_train_steps", s.lr.total_steps, "optimiser steps", at_least(1));
  flags.add("--train_batch_size", s.batch, "points a step", between(1, 10'000'000));
  flags.add("--learning_rate", s.adam.learning_rate, "of AdamW", positive());
  std::vector<std::pair<std::string, LrScheduleKind>> kinds;
  for (int i = 0; i <= int(LrScheduleKind::inverse_sqrt); ++i)
    kinds.emplace_back(name_of(LrScheduleKind(i)), LrScheduleKind(i));
  flags.add_choice("--lr_scheduler", s.lr.kind, kinds, "its course");
  flags.add("--lr_warmup_steps", s.lr.warmup_steps, "steps of linear warm-up", non_negative());
  flags.add("--max_grad_norm", s.max_grad_norm, "clip gradients to this norm, 0: never", non_negative());
  flags.add("--use_ema", s.use_ema, "average the weights; the model written is the average");
  flags.add("--ema_decay", s.ema_decay, "of the average", between(0, 1)).advanced();
  flags.add("--lr_final_fraction", s.lr.final_fraction, "where the rate ends, as a share", between(0, 1)).advanced();
  flags.add("--lr_num_cycles", s.lr.cycles, "cosine waves or restarts, 0: diffusers' default", non_negative())
      .advanced();
  flags.add("--lr_power", s.lr.power, "of the polynomial schedule", positive()).advanced();
  flags.add("--adam_beta1", s.adam.beta1, "decay of the first moment", from_below(0, 1)).advanced();
  flags.add("--adam_beta2", s.adam.beta2, "decay of the second moment", from_below(0, 1)).advanced();
  flags.add("--adam_weight_decay", s.adam.weight_decay, "decoupled weight decay", non_negative()).advanced();
  flags.add("--adam_epsilon", s.adam.epsilon, "in the denominator", non_negative()).advanced();
}

}  // namespace

void add_flags(Flags& flags, Settings& s) {
  add_data_flags(flags, s);
  add_optimizer_flags(flags, s);
  add_diffusion_flags(flags, s);
  flags.add("--checkpointing_steps", s.checkpointing_steps, "steps between checkpoints, 0: none", non_negative());
  flags.add("--checkpoints_total_limit", s.checkpoints_total_limit, "newest to keep, 0: all", non_negative());
  flags.add("--resume_from_checkpoint", s.resume_from_checkpoint, "latest, or a checkpoint folder").transient();
  flags.add("--report_to", s.report_to, "beside log.jsonl", one_of({"tensorboard", "none"})).advanced();
  flags.add_global(s.global);
  flags.example("plumb train --max_train_steps 2000 --use_ema --out runs/ring");
}

Json identity(const Settings& settings, const ConfigEntries& resolved, const std::string& data_hash) {
  Json all = to_json(resolved), kept = Json::object();
  for (const JsonMember& member : all.as_object()) {
    if (is_among(kRunOnly, member.key)) continue;
    if (!settings.train_data.empty() && is_among(kWorldOnly, member.key)) continue;
    if (member.key == "max_train_steps" && !depends_on_total(settings.lr.kind)) continue;
    kept.set(member.key, member.value);
  }
  return kept.set(kDataHash, data_hash);
}

void check_same_run(const std::string& name, const Json& saved, const Json& wanted) {
  constexpr const char* kFix = "give the same value, or start afresh in another --out";
  for (const JsonMember& member : saved.as_object()) {
    const Json* now = wanted.find(member.key);
    if (now && *now == member.value) continue;
    require<UsageError>(member.key != kDataHash, "train: {} was made from other training data ({}); {}", name,
                        kDataHash, "give the same data, or start afresh in another --out");
    raise<UsageError>("train: {} was made with --{} {} (this run: {}); {}", name, member.key, member.value.dump(),
                      now ? now->dump() : "not set", kFix);
  }
  for (const JsonMember& member : wanted.as_object())
    require<UsageError>(saved.find(member.key), "train: {} was made without --{} (this run: {}); {}", name, member.key,
                        member.value.dump(), kFix);
}

}  // namespace plumb::train
