#pragma once

#include <string>

#include "align/worlds/gaussians2d.h"
#include "apps/common/cli.h"
#include "diffusion/parameterization.h"
#include "diffusion/point_denoiser.h"
#include "diffusion/schedule/noise_schedule.h"
#include "engine/io/json.h"
#include "nn/optim/adam.h"
#include "nn/optim/lr_schedule.h"

namespace plumb::train {

/// What `plumb train` can be told. Flag names are diffusers' where it has one.
struct Settings {
  GlobalFlags global{.out = "runs/train"};
  std::string train_data = {};        ///< safetensors with points [N, D] and optional labels [N]; empty: the world
  Gaussians2dOptions world = {};      ///< gaussians2d, its noisy training set
  int64_t samples_per_class = 4000;   ///< drawn from the world
  PointDenoiserOptions network = {};  ///< classes and dimensions come from the data
  NoiseScheduleOptions schedule{.num_train_timesteps = 100, .beta_start = 1e-3, .beta_end = 0.2};
  Prediction prediction = Prediction::epsilon;
  int64_t batch = 512;
  AdamSettings adam{.learning_rate = 2e-3};
  LrSchedule lr{.kind = LrScheduleKind::cosine, .total_steps = 4000};
  double max_grad_norm = 0;  ///< 0: no clipping
  bool use_ema = false;
  double ema_decay = 0.999;
  int64_t checkpointing_steps = 500;  ///< 0: only when a signal stops the run
  int64_t checkpoints_total_limit = 2;
  std::string resume_from_checkpoint = {};  ///< "latest", or a checkpoint folder; empty: start afresh
  std::string report_to = "tensorboard";

  int64_t steps() const { return lr.total_steps; }
};

/// Adds every flag of the verb.
void add_flags(Flags& flags, Settings& settings);

/// The settings that decide what a run computes, under their flags' names, and a hash of its data: kept in a
/// checkpoint's manifest. Where files lie, how many threads work and how often a checkpoint is written may change.
/// So may the number of steps while the learning rate does not depend on it.
Json identity(const Settings& settings, const ConfigEntries& resolved, const std::string& data_hash);

/// Throws UsageError naming the first setting in which the checkpoint `name` differs from this run.
void check_same_run(const std::string& name, const Json& saved, const Json& wanted);

}  // namespace plumb::train
