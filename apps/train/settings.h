#pragma once

#include <string>

#include "apps/common/training_flags.h"
#include "diffusion/parameterization.h"
#include "diffusion/point_denoiser.h"
#include "diffusion/schedule/noise_schedule.h"
#include "engine/io/json.h"

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
  OptimizerSettings optimizer{.adam = {.learning_rate = 2e-3},
                              .lr = {.kind = LrScheduleKind::cosine, .total_steps = 4000}};
  MixedPrecision mixed_precision = MixedPrecision::no;
  bool use_ema = false;
  double ema_decay = 0.999;
  CheckpointSettings checkpoints = {};
  /// An untrained network's error is what collapse is measured against: twice that is worse than knowing nothing.
  HealthLimits health = {};
  bool cuda_graph = true;  ///< a step is one graph, where it can be
  Device device = kCpu;    ///< what --device names

  int64_t steps() const { return optimizer.steps(); }
};

/// Adds every flag of the verb.
void add_flags(Flags& flags, Settings& settings);

/// The settings that decide what a run computes and a hash of its data (run_identity.h).
Json identity(const Settings& settings, const ConfigEntries& resolved, const std::string& data_hash);

}  // namespace plumb::train
