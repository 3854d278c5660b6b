#include "apps/train/pictures/settings.h"

#include <algorithm>

#include "engine/require.h"

namespace plumb::train {
namespace {

void add_data_flags(Flags& flags, PictureSettings& s) {
  flags.add("--train_data_dir", s.train_data_dir, "folder of pictures, or .tar files (NAME-{000..099}.tar)")
      .shown_as("DIR");
  flags.add("--resolution", s.resolution, "side of the squares trained on; else the model's", between(1, 16384));
  flags.add("--center_crop", s.transform.center_crop, "take the middle of a picture, not any square");
  flags.add("--random_flip", s.transform.random_flip, "mirror half of the pictures");
  flags.add("--caption_column", s.caption_column, "key of the captions in metadata").advanced();
  flags
      .add_choice("--image_interpolation_mode", s.transform.filter,
                  {{"lanczos", ResizeFilter::lanczos},
                   {"bicubic", ResizeFilter::bicubic},
                   {"bilinear", ResizeFilter::bilinear},
                   {"hamming", ResizeFilter::hamming},
                   {"box", ResizeFilter::box}},
                  "how pictures are resized")
      .advanced();
  flags.add("--dataloader_num_workers", s.workers, "batches read ahead, 0: none", between(0, 256)).advanced();
  flags.add("--dataloader_memory", s.memory_mib, "MiB of resized pictures kept", non_negative()).advanced();
}

void add_model_flags(Flags& flags, PictureSettings& s) {
  flags.add("--pretrained_model_name_or_path", s.pretrained, "folder of the model to go on from").shown_as("DIR");
  flags.add("--unet_init", s.unet_init, "a new network of this size", one_of({"", "tiny", "small"})).shown_as("SIZE");
  flags.add("--unet_config", s.unet_config, "a new network with this config.json").shown_as("FILE").advanced();
  flags.add("--text_init", s.text_init, "a new text encoder for the captions' words", one_of({"", "tiny", "small"}))
      .shown_as("SIZE");
  flags
      .add("--prediction_type", s.prediction_type, "what the network predicts; else as the scheduler says",
           one_of({"", "epsilon", "sample", "v_prediction"}))
      .shown_as("KIND");
  flags
      .add_choice("--ddpm_beta_schedule", s.schedule.beta_schedule,
                  {{"linear", BetaSchedule::linear},
                   {"scaled_linear", BetaSchedule::scaled_linear},
                   {"squaredcos_cap_v2", BetaSchedule::squaredcos_cap_v2}},
                  "noise schedule of a new model")
      .advanced();
  flags.add("--ddpm_num_steps", s.schedule.num_train_timesteps, "its timesteps", between(1, 1'000'000)).advanced();
}

void add_training_flags(Flags& flags, PictureSettings& s) {
  flags.add("--train_batch_size", s.batch, "pictures that go through the network together", between(1, 100000));
  flags.add("--gradient_accumulation_steps", s.accumulation, "batches a step", between(1, 100000));
  flags.add("--max_train_steps", s.max_train_steps, "optimiser steps; else as epochs say", at_least(1));
  flags.add("--num_train_epochs", s.num_train_epochs, "times every picture is seen", between(1, 1'000'000'000))
      .advanced();
  add_optimizer_flags(flags, s.optimizer);
  flags.add("--train_text_encoder", s.train_text_encoder, "train the text encoder with the network");
  flags.add("--snr_gamma", s.snr_gamma, "min-SNR weights with this gamma, 0: none (5 is usual)", non_negative());
  flags.add("--noise_offset", s.noise_offset, "noise that is the same all over a picture", non_negative()).advanced();
  flags.add("--proportion_empty_prompts", s.proportion_empty_prompts, "share of captions left out", between(0, 1));
  flags.add("--use_ema", s.use_ema, "average the weights; the model written is the average");
  flags.add("--ema_decay", s.ema_decay, "of the average", between(0, 1)).advanced();
  flags.add("--gradient_checkpointing", s.gradient_checkpointing, "a third more work for less memory").advanced();
  flags.add("--cache_latents", s.cache_latents, "keep what the autoencoder makes of pictures, with --center_crop")
      .advanced();
  add_precision_flag(flags, s.mixed_precision);
  add_graph_flag(flags, s.cuda_graph);
}

void add_validation_flags(Flags& flags, PictureSettings& s) {
  flags.add("--validation_steps", s.validation_steps, "steps between grids of samples, 0: none", non_negative());
  flags.add("--validation_prompts", s.validation_prompts, "their prompts; repeatable").shown_as("TEXT").whole();
  flags.add("--num_validation_images", s.num_validation_images, "pictures of a grid without prompts", between(1, 4096))
      .advanced();
  flags.add("--num_inference_steps", s.validation_inference_steps, "steps of their sampler", between(1, 100000))
      .advanced();
  flags.add("--guidance_scale", s.guidance_scale, "their guidance by the prompt", non_negative()).advanced();
}

bool is_key(std::string word) {
  std::replace(word.begin(), word.end(), '-', '_');
  const size_t equals = word.find('=');
  return word.substr(0, equals) == "__train_data_dir";
}

}  // namespace

bool wants_pictures(const Arguments& arguments) {
  if (std::any_of(arguments.begin(), arguments.end(), is_key)) return true;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string file;
    if (arguments[i] == "--config" && i + 1 < arguments.size()) file = arguments[i + 1];
    if (arguments[i].starts_with("--config=")) file = arguments[i].substr(9);
    if (file.empty()) continue;
    const ConfigEntries entries = read_config(file);
    if (std::any_of(entries.begin(), entries.end(), [](const ConfigEntry& e) { return e.key == "train_data_dir"; }))
      return true;
  }
  return false;
}

void add_flags(Flags& flags, PictureSettings& s) {
  add_data_flags(flags, s);
  add_model_flags(flags, s);
  add_training_flags(flags, s);
  add_validation_flags(flags, s);
  add_checkpoint_flags(flags, s.checkpoints);
  add_health_flags(flags, s.health, false);
  flags.add_global(s.global);
  flags.example("plumb train --train_data_dir pictures --unet_init tiny --resolution 32 --out runs/pictures");
}

void check(const PictureSettings& s) {
  require<UsageError>(!s.train_data_dir.empty(), "train: --train_data_dir must name a folder or .tar files");
  require<UsageError>(s.unet_config.empty() || s.unet_init.empty(),
                      "train: --unet_config and --unet_init exclude each other; give one");
  require<UsageError>(s.text_init.empty() || s.pretrained.empty(),
                      "train: --text_init makes a new text encoder, which a pretrained model has; leave out one of "
                      "--text_init and --pretrained_model_name_or_path");
  require<UsageError>(s.text_init.empty() || s.train_text_encoder,
                      "train: a new text encoder (--text_init) has yet to learn; add --train_text_encoder");
}

}  // namespace plumb::train
