#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/cli.h"

namespace plumb::study {

/// Everything `plumb shapes study` can be told. Defaults are the recipe `tiny`, for a CPU of two cores;
/// apps/shapes/recipes/ has others for --config.
struct Recipe {
  GlobalFlags global{.out = "runs/shapes_study"};
  std::string world = "tiny";                                  ///< tiny, full, or a world.json
  std::string train_config = "apps/shapes/recipes/tiny.toml";  ///< of the reference: flags of `plumb train`
  std::string reference = {};                                  ///< model made before; empty: made here
  std::string clean = {}, continued = {};                      ///< the same; "none": the row is left out
  int64_t train_pictures = 50'000;                             ///< of the reference, with noisy captions
  int64_t pairs = 4'000;                                       ///< of each preference set
  int64_t prompts = 600, images = 4;                           ///< of the test
  int64_t validation_prompts = 120, validation_images = 2;     ///< of search and of the guidance curves
  int64_t seeds = 3;                                           ///< trainings of a row
  std::vector<double> guidance = {1, 1.5, 2, 3, 5, 7.5};
  std::string sampler = "dpmpp_2m";
  int64_t inference_steps = 8;
  double pair_guidance = 5;
  int64_t pair_inference_steps = 8;
  std::vector<std::string> rows = {"main"};
  int64_t batch = 16;                                       ///< pairs a step
  std::vector<int64_t> steps = {100};                       ///< searched
  std::vector<double> learning_rates = {3e-6, 1e-5, 3e-5};  ///< searched
  std::vector<double> betas = {0.25, 1};                    ///< searched, as multiples of the published strength
  int64_t sample_batch = 16;
  int64_t jobs = 0;  ///< commands at a time; 0: one a core, on a GPU one
};

void add_flags(Flags& flags, Recipe& recipe);

/// Throws UsageError for lists without elements and for guidance without 1.
void check(const Recipe& recipe);

}  // namespace plumb::study
