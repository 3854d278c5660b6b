#include "apps/train/settings.h"

#include "apps/common/run_identity.h"

namespace plumb::train {
namespace {

void add_data_flags(Flags& flags, Settings& s) {
  flags.add("--train_data", s.train_data, "safetensors: points [N, D], optional labels [N]; else the world")
      .shown_as("FILE");
  add_world_flags(flags, s.world);
  flags.add("--samples_per_class", s.samples_per_class, "points drawn from the world", between(1, 10'000'000))
      .advanced();
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

void add_training_flags(Flags& flags, Settings& s) {
  flags.add("--max_train_steps", s.optimizer.lr.total_steps, "optimiser steps", at_least(1));
  flags.add("--train_batch_size", s.batch, "points a step", between(1, 10'000'000));
  add_optimizer_flags(flags, s.optimizer);
  add_precision_flag(flags, s.mixed_precision);
  add_graph_flag(flags, s.cuda_graph);
  flags.add("--use_ema", s.use_ema, "average the weights; the model written is the average");
  flags.add("--ema_decay", s.ema_decay, "of the average", between(0, 1)).advanced();
}

}  // namespace

void add_flags(Flags& flags, Settings& s) {
  add_data_flags(flags, s);
  add_training_flags(flags, s);
  add_diffusion_flags(flags, s);
  add_checkpoint_flags(flags, s.checkpoints);
  add_health_flags(flags, s.health, false);
  flags.add_global(s.global);
  flags.example("plumb train --max_train_steps 2000 --use_ema --out runs/ring");
}

Json identity(const Settings& settings, const ConfigEntries& resolved, const std::string& data_hash) {
  std::vector<std::string_view> left_out = {"train_data"};
  if (!settings.train_data.empty())
    left_out.insert(left_out.end(), {"classes", "inflation", "noise_fraction", "radius", "samples_per_class", "sigma"});
  return run_identity(resolved, settings.optimizer.lr.kind, left_out).set("data_sha256", data_hash);
}

}  // namespace plumb::train
