#include "apps/shapes/study/recipe.h"

#include <algorithm>

#include "diffusion/sampler/make_sampler.h"
#include "engine/require.h"

namespace plumb::study {
namespace {

void add_model_flags(Flags& flags, Recipe& r) {
  flags.add("--world", r.world, "tiny, full, or a world.json").shown_as("WORLD");
  flags.add("--train_config", r.train_config, "how the reference is trained: flags of plumb train").shown_as("TOML");
  flags.add("--train_pictures", r.train_pictures, "the reference learns from", between(1, 100'000'000));
  flags.add("--reference", r.reference, "model made before; else it is trained").shown_as("FOLDER").advanced();
  flags.add("--clean", r.clean, "model of true captions made before, or none").shown_as("FOLDER").advanced();
  flags.add("--continued", r.continued, "reference trained on, made before, or none").shown_as("FOLDER").advanced();
}

void add_training_flags(Flags& flags, Recipe& r) {
  flags.add("--rows", r.rows, "main, all, or rows by name, comma separated");
  flags.add("--seeds", r.seeds, "trainings of each row", between(1, 1000));
  flags.add("--num_pairs", r.pairs, "of each preference set", between(2, 100'000'000));
  flags.add("--pair_guidance_scale", r.pair_guidance, "pairs are drawn with", non_negative()).advanced();
  flags.add("--pair_inference_steps", r.pair_inference_steps, "pairs are drawn in", at_least(1)).advanced();
  flags.add("--train_batch_size", r.batch, "pairs a step", between(1, 1'000'000)).advanced();
  flags.add("--max_train_steps", r.steps, "searched: optimiser steps", at_least(1));
  flags.add("--learning_rates", r.learning_rates, "searched", positive());
  flags.add("--betas", r.betas, "searched: multiples of the published strength", positive());
}

void add_test_flags(Flags& flags, Recipe& r) {
  std::vector<std::string> samplers;
  for (const std::string_view name : sampler_names()) samplers.emplace_back(name);
  flags.add("--prompts", r.prompts, "of the test", between(2, 10'000'000));
  flags.add("--images", r.images, "drawn for each", between(1, 1'000'000));
  flags.add("--validation_prompts", r.validation_prompts, "of search and guidance curves", between(2, 10'000'000));
  flags.add("--validation_images", r.validation_images, "drawn for each", between(1, 1'000'000)).advanced();
  flags.add("--guidance", r.guidance, "scales that every row is drawn with", at_least(1));
  flags.add("--sampler", r.sampler, "of all pictures but the pairs'", one_of(samplers)).advanced();
  flags.add("--num_inference_steps", r.inference_steps, "of it", at_least(1)).advanced();
  flags.add("--sample_batch_size", r.sample_batch, "pictures at once", between(1, 4096)).advanced();
  flags.add("--jobs", r.jobs, "commands at a time; 0: one a core, on a GPU one", between(0, 4096)).transient();
}

}  // namespace

void add_flags(Flags& flags, Recipe& recipe) {
  add_model_flags(flags, recipe);
  add_training_flags(flags, recipe);
  add_test_flags(flags, recipe);
  flags.add_global(recipe.global);
  flags.example("plumb shapes study --rows sft,diffusion_dpo,ddspo --seeds 3 --out runs/shapes_study");
}

void check(const Recipe& recipe) {
  const auto need = [](bool some, const char* flag) {
    require<UsageError>(some, "study: --{} has no elements; leave it out or give some", flag);
  };
  need(!recipe.rows.empty(), "rows");
  need(!recipe.steps.empty(), "max_train_steps");
  need(!recipe.learning_rates.empty(), "learning_rates");
  need(!recipe.betas.empty(), "betas");
  need(!recipe.guidance.empty(), "guidance");
  require<UsageError>(std::find(recipe.guidance.begin(), recipe.guidance.end(), 1.0) != recipe.guidance.end(),
                      "study: --guidance must hold 1, which rows are reported at; add it");
}

}  // namespace plumb::study
