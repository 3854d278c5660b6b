#pragma once

#include <string>
#include <vector>

#include "align/worlds/gaussians2d.h"
#include "apps/common/cli.h"
#include "apps/toy2d/methods.h"
#include "diffusion/sampler/sampler.h"

namespace plumb::toy2d {

/// Everything `plumb toy2d` can be told. Defaults are the experiment of the DDSPO paper's Fig. 2 as set up in
/// docs/toy2d.
struct Settings {
  GlobalFlags global{.out = "runs/toy2d"};
  bool quick = false;
  bool search = false;
  std::vector<std::string> methods = table_method_names();
  std::vector<std::string> pair_sources = {"clean", "reference"};
  std::vector<std::string> samplers = {"ddim25", "ddpm100"};
  Gaussians2dOptions world;
  int64_t training_samples_per_class = 4000;
  int64_t pairs_per_class = 2;
  int64_t seeds = 5;
  int64_t first_seed = 0;
  int64_t samples_per_class = 2000;
  int64_t reference_steps = 4000;
  int64_t reference_batch = 512;
  double reference_learning_rate = 2e-3;
  KeyValues set;
  Device device = kCpu;  ///< where networks live; worlds, metrics and figures are the CPU's

  /// T = 100, linear beta from 1e-3 to 0.2.
  NoiseScheduleOptions schedule{.num_train_timesteps = 100, .beta_start = 1e-3, .beta_end = 0.2};
};

/// Adds every flag of the verb.
void add_flags(Flags& flags, Settings& settings);

/// --quick narrows what was not set by hand: one seed, clean pairs, DDIM-25, Diffusion-DPO and two DDSPO rows.
void apply_quick(Settings& settings, const Flags& flags);

/// Drops repeated names from the lists. Throws UsageError for a list without a name.
void check_lists(Settings& settings);

/// "ddim25" or "ddpm100" to options. Throws UsageError.
SamplerOptions parse_sampler(const std::string& name, const NoiseScheduleOptions& schedule);

}  // namespace plumb::toy2d
