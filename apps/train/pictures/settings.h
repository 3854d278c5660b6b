#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/training_flags.h"
#include "diffusion/parameterization.h"
#include "diffusion/schedule/noise_schedule.h"
#include "nn/data/picture_transform.h"

namespace plumb::train {

/// What `plumb train --train_data_dir` can be told. Flag names and defaults are those of diffusers' train_text_to_image
/// and train_unconditional.
struct PictureSettings {
  GlobalFlags global{.out = "runs/train"};
  std::string train_data_dir = {};
  std::string caption_column = "text";
  std::optional<int64_t> resolution = {};  ///< the model's own unless given, 64 for a new one
  PictureTransform transform = {};         ///< its resolution and channels follow from the model
  int64_t workers = 2;
  int64_t memory_mib = 2048;  ///< of resized pictures kept

  std::string pretrained = {};         ///< a pipeline's folder
  std::string unet_config = {};        ///< a config.json: a new network
  std::string unet_init = {};          ///< tiny, small: a new network
  std::string text_init = {};          ///< tiny, small: a new tokenizer and text encoder
  NoiseScheduleOptions schedule = {};  ///< of a new pipeline
  std::string prediction_type = {};    ///< the scheduler's unless given

  int64_t batch = 16;
  int64_t accumulation = 1;
  std::optional<int64_t> max_train_steps = {};
  int64_t num_train_epochs = 100;
  OptimizerSettings optimizer{.adam = {.learning_rate = 1e-4, .weight_decay = 1e-2},
                              .lr = {.kind = LrScheduleKind::constant, .total_steps = 0},
                              .max_grad_norm = 1};
  MixedPrecision mixed_precision = MixedPrecision::no;
  bool gradient_checkpointing = false;
  bool train_text_encoder = false;
  double snr_gamma = 0;
  double noise_offset = 0;
  double proportion_empty_prompts = 0;
  bool use_ema = false;
  double ema_decay = 0.9999;
  bool cache_latents = true;

  int64_t validation_steps = 0;
  std::vector<std::string> validation_prompts = {};
  int64_t num_validation_images = 16;
  int64_t validation_inference_steps = 50;
  double guidance_scale = 7.5;

  CheckpointSettings checkpoints = {};
  HealthLimits health = {};
  bool cuda_graph = true;
  Device device = kCpu;

  int64_t effective_batch() const { return batch * accumulation; }
  int64_t steps() const { return optimizer.steps(); }
};

/// Whether these words ask for training on pictures: --train_data_dir among them, or in their --config file.
bool wants_pictures(const Arguments& arguments);

void add_flags(Flags& flags, PictureSettings& settings);
/// Refuses flags that exclude each other. Throws UsageError.
void check(const PictureSettings& settings);

}  // namespace plumb::train
