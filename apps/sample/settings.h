#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/training_flags.h"

namespace plumb {

/// The flags of `plumb sample`, for points and for pictures. What is absent (or "auto") has a default that depends on
/// the model.
struct SampleSettings {
  GlobalFlags global{.out = "runs/sample"};
  std::string model = {};
  std::string adapter = {};
  std::string classes = "all";
  std::optional<int64_t> negative_class = {};
  std::string sampler = "auto";
  int64_t steps = 50;
  double eta = 0;
  std::string spacing = "auto";
  std::optional<double> guidance_scale = {};
  std::string rng = "plumb";

  int64_t num_samples = 2000;  ///< points

  std::vector<std::string> prompt = {};  ///< pictures, from here on
  std::string prompts = {};
  std::string negative_prompt = {};
  int64_t num_images = 1;
  std::optional<int64_t> height = {}, width = {};
  double guidance_rescale = 0;
  std::string init_image = {};
  double strength = 0.8;
  bool grid = false;
  bool vae_tiling = false;
  int64_t preview_steps = 0;
  bool preview_vae = false;
  bool save_tensors = false;
  int64_t batch_size = 1;
  int64_t clip_skip = 0;
  std::string tokenizer = {};
  std::string variant = {};
  std::optional<int64_t> pack_memory_mib = {};
  MixedPrecision mixed_precision = MixedPrecision::no;
};

void add_sample_flags(Flags& flags, SampleSettings& settings);

/// Throws UsageError naming a flag that was given and is only for the other kind of model.
void refuse_picture_flags(const Flags& flags);
void refuse_point_flags(const Flags& flags);

/// Labels --class asks for: one, or -1 for all classes in turn. Throws UsageError.
int64_t chosen_class(const SampleSettings& settings, int64_t classes);

}  // namespace plumb
