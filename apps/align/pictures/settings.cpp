#include "apps/align/pictures/settings.h"

#include "engine/require.h"

namespace plumb {
namespace {

void add_data_flags(Flags& flags, PictureAlignSettings& s) {
  flags.add("--model", s.model, "folder of the model to begin with").shown_as("FOLDER").required();
  flags.add("--data", s.data, "preferences, as plumb pairs or a published data set has them")
      .shown_as("DIR")
      .required();
  flags
      .add_choice("--loser_source", s.loser_source,
                  {{"paired", LoserSource::paired},
                   {"rand_positive", LoserSource::rand_positive},
                   {"not_paired", LoserSource::not_paired}},
                  "where losers come from (docs/pairs.md)")
      .advanced();
  flags.add("--one_pair_per_prompt", s.one_pair_per_prompt, "keep the first pair of every prompt (DSPO-nodup)")
      .advanced();
  flags.add("--skip_broken", s.skip_broken, "leave rows out that cannot be used, and count them").advanced();
  flags.add("--resolution", s.resolution, "side of the squares trained on; else the model's", between(1, 16384))
      .advanced();
  flags.add("--random_crop", s.random_crop, "any square of a picture, not the middle").advanced();
  flags.add("--random_flip", s.transform.random_flip, "mirror half of the pairs").advanced();
  flags
      .add("--independent_transforms", s.independent_transforms,
           "winner and loser are cropped and mirrored by draws of their own")
      .advanced();
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
  flags.add("--cache_latents", s.cache_latents, "keep what the autoencoder makes of pictures").advanced();
  flags.add("--proportion_empty_prompts", s.proportion_empty_prompts, "share of pairs trained without their prompt",
            between(0, 1));
}

void add_method_flags(Flags& flags, PictureAlignSettings& s) {
  flags
      .add_choice("--downgrade", s.downgrade.kind,
                  {{"random_image", DowngradeKind::random_image},
                   {"blur", DowngradeKind::blur},
                   {"random_grid", DowngradeKind::random_grid}},
                  "Self-DPO's losers")
      .advanced();
  flags.add("--allow_fixed_points", s.downgrade.allow_fixed_points, "of random_image: a picture may stay in its place")
      .advanced();
  flags.add("--lora_layers", s.lora_layers, "which layers get an adapter", one_of({"attention", "convolution", "both"}))
      .advanced();
  flags.add("--lora_target_modules", s.lora_targets, "instead: ends of their paths, comma-separated").advanced();
  flags
      .add("--cache_reference", s.cache_reference,
           "draws of a pair whose reference errors are made beforehand, 0: none", between(0, 1'000'000))
      .advanced();
  flags.add("--gradient_checkpointing", s.gradient_checkpointing, "a third more work for less memory").advanced();
  flags.add("--use_ema", s.use_ema, "average the weights; the model written is the average");
  flags.add("--ema_decay", s.ema_decay, "of the average", between(0, 1)).advanced();
}

void add_random_prompt_flags(Flags& flags, PictureAlignSettings& s) {
  add_random_condition_flags(flags, s);
  flags.add("--random_prompts", s.random_prompts, "their list: prompt and neg_prompts a line").shown_as("FILE");
  flags.make_advanced({"random_prompts"});
}

void add_validation_flags(Flags& flags, PictureAlignSettings& s) {
  flags.add("--validation_steps", s.validation_steps, "steps between looks at the model, 0: none", non_negative());
  flags.add("--validation_data", s.validation_data, "held-out preferences").shown_as("DIR");
  flags.add("--validation_prompts", s.validation_prompts, "what is drawn then; repeatable").shown_as("TEXT").whole();
  flags.add("--num_validation_images", s.num_validation_images, "pictures without prompts", between(1, 4096))
      .advanced();
  flags.add("--num_inference_steps", s.num_inference_steps, "steps of their sampler", between(1, 100000)).advanced();
  flags.add("--guidance_scale", s.guidance_scale, "their guidance by the prompt", non_negative()).advanced();
}

}  // namespace

PictureAlignSettings::PictureAlignSettings() {
  batch = 16;
  optimizer.adam.learning_rate = 1e-5;
  optimizer.lr.total_steps = 200;
  trainer.divergence_every = 0;
  reference.delta = 0.005;
}

void add_flags(Flags& flags, PictureAlignSettings& s) {
  add_data_flags(flags, s);
  add_objective_flags(flags, s);
  add_training_flags(flags, s);
  add_timestep_flags(flags, s);
  add_method_flags(flags, s);
  add_random_prompt_flags(flags, s);
  add_reference_flags(flags, s);
  add_validation_flags(flags, s);
  add_watch_flags(flags, s);
  flags.make_advanced({"timestep_sampling", "lr_scheduler", "max_grad_norm", "checkpointing_steps",
                       "resume_from_checkpoint", "ref_update_steps"});
  flags.add_global(s.global);
  flags.example("plumb align --model FOLDER --data runs/pairs --objective ddspo --policy training_free");
}

void resolve(PictureAlignSettings& s) {
  resolve(static_cast<PreferenceSettings&>(s));
  s.transform.center_crop = !s.random_crop;
  require<UsageError>(s.models.policy.name != "oracle",
                      "align: --policy oracle knows the scores of the 2D world alone; choose another");
  require<UsageError>(
      s.cache_reference == 0 || s.reference.tau == 0,
      "align: --cache_reference keeps a reference that stays, and --ref_update_steps {} moves it; leave "
      "one of them out",
      s.reference.tau);
  require<UsageError>(
      s.cache_reference == 0 || s.trainer.random_conditions.kind == RandomConditionKind::none,
      "align: --cache_reference keeps errors of the pairs' own prompts, and --random_condition replaces "
      "them; leave one of them out");
  s.models.policy.data_driven.batch = s.batch;
  require<UsageError>((s.trainer.random_conditions.kind != RandomConditionKind::none) == !s.random_prompts.empty(),
                      "align: --random_condition and --random_prompts belong together; give both or neither");
  require<UsageError>(s.validation_steps > 0 || (s.validation_data.empty() && s.validation_prompts.empty()),
                      "align: --validation_data and --validation_prompts need --validation_steps");
}

std::vector<std::string> adapter_targets(const PictureAlignSettings& s) {
  if (!s.lora_targets.empty()) return s.lora_targets;
  // Attention: the layers of diffusers' scripts. Convolutions: those inside residual blocks and at changes of size.
  std::vector<std::string> targets;
  if (s.lora_layers != "convolution") targets = {"to_q", "to_k", "to_v", "to_out.0"};
  if (s.lora_layers != "attention")
    for (const char* end : {"conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv"})
      targets.emplace_back(end);
  return targets;
}

}  // namespace plumb
