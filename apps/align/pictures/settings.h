#pragma once

#include <optional>
#include <string>
#include <vector>

#include "align/data/preference_dataset.h"
#include "align/downgrade/downgrade.h"
#include "apps/align/settings.h"
#include "nn/data/picture_transform.h"

namespace plumb {

/// What `plumb align` can be told of a model of pictures. Beside what every run knows: names are those of diffusers'
/// train_diffusion_dpo where it has one.
struct PictureAlignSettings : PreferenceSettings {
  std::optional<int64_t> resolution = {};           ///< the model's own unless given
  PictureTransform transform{.center_crop = true};  ///< its resolution and channels follow from the model
  bool random_crop = false;
  bool independent_transforms = false;  ///< winner and loser are cropped and mirrored by draws of their own
  bool skip_broken = false;
  LoserSource loser_source = LoserSource::paired;
  DowngradeOptions downgrade = {};  ///< Self-DPO's
  double proportion_empty_prompts = 0;
  std::string random_prompts = {};  ///< the list of random conditions, lines as read_rewrites() has them
  int64_t workers = 2;
  int64_t memory_mib = 2048;  ///< of resized pictures kept
  bool cache_latents = true;

  std::string lora_layers = "attention";       ///< attention, convolution, both
  std::vector<std::string> lora_targets = {};  ///< layers by path or its end, instead
  int64_t cache_reference = 0;  ///< draws of each pair whose reference errors are made before training, 0: none
  bool gradient_checkpointing = false;
  bool use_ema = false;
  double ema_decay = 0.9999;

  std::string validation_data = {};  ///< held-out pairs
  std::vector<std::string> validation_prompts = {};
  int64_t num_validation_images = 8;  ///< of a grid without prompts
  int64_t num_inference_steps = 25;
  double guidance_scale = 7.5;

  PictureAlignSettings();
};

void add_flags(Flags& flags, PictureAlignSettings& settings);

/// As for every run. Throws UsageError also for flags that do not fit together.
void resolve(PictureAlignSettings& settings);

/// Path ends of the layers that get an adapter (FineTuneOptions::targets).
std::vector<std::string> adapter_targets(const PictureAlignSettings& settings);

}  // namespace plumb
