#pragma once

#include "align/preference.h"
#include "apps/common/cli.h"
#include "apps/common/training_flags.h"
#include "diffusion/point_model.h"
#include "diffusion/sampler/sampler.h"

namespace plumb {

/// Where preference pairs of points come from, and how many.
struct PairSettings {
  Gaussians2dOptions world = {};
  int64_t pairs_per_class = 2;
  std::string negative = "neighbor";  ///< c-: the neighbours in turn, or a random other class
  SamplerOptions sampler{.steps = 25};
};

/// --pairs_per_class --negative.
void add_pair_label_flags(Flags& flags, PairSettings& settings);
/// Those, --num_inference_steps and --timestep_spacing.
void add_pair_flags(Flags& flags, PairSettings& settings);

/// Class c and degraded class c- of each pair: `pairs_per_class` of class 0, then of class 1, … c- is the class after c
/// and the class before it in turn, or drawn among all others. Throws ValueError for fewer than two classes.
struct PairLabels {
  Tensor positive, negative;  // i64 [classes * pairs_per_class]
};
PairLabels draw_pair_labels(int64_t classes, const PairSettings& settings, const RandomKey& key);

/// Pairs of the world itself: the winner from the clean mode of c, the loser from that of c-.
PreferencePairs world_pairs(const PairSettings& settings, const RandomKey& key);

/// The DDSPO paper's pipeline, without labels of anyone: winners sampled from the model with c, losers with c-, by DDIM
/// without guidance from the same initial noise. Throws UsageError for a model without classes.
PreferencePairs model_pairs(PointModel& model, const PairSettings& settings, const RandomKey& key);

}  // namespace plumb
