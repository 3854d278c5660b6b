#pragma once

#include <map>
#include <string>

#include "diffusion/pipeline/pipeline.h"
#include "nn/unet/unet2d_condition_config.h"
#include "nn/unet/unet2d_config.h"
#include "nn/visitors.h"

// Small pipelines with random weights, none of them at its first value.

namespace plumb::test {

inline UNet2DOptions tiny_unet() {
  UNet2DOptions options;
  options.block_out_channels = {8, 16};
  options.down_block_types = {"DownBlock2D", "AttnDownBlock2D"};
  options.up_block_types = {"AttnUpBlock2D", "UpBlock2D"};
  options.layers_per_block = 1;
  options.norm_num_groups = 4;
  options.attention_head_dim = 4;
  options.sample_size = Size2d{8, 8};
  return options;
}

/// As SD1's, or as SDXL's with `large`: with 32 groups and widths that a single file's configuration is read from.
inline UNet2DConditionOptions tiny_condition_unet(bool large) {
  UNet2DConditionOptions options;
  options.block_out_channels = {32, 64};
  options.layers_per_block = 1;
  options.down_block_types = {"CrossAttnDownBlock2D", "DownBlock2D"};
  options.up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D"};
  options.cross_attention_dim = large ? 128 : 64;
  options.sample_size = Size2d{8, 8};
  if (!large) return options;
  options.block_out_channels = {64, 128};
  options.down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D"};
  options.up_block_types = {"CrossAttnUpBlock2D", "UpBlock2D"};
  options.attention_head_dim = std::vector<int64_t>{1, 2};
  options.transformer_layers_per_block = std::vector<PerLevel<int64_t>>{1, 2};
  options.use_linear_projection = true;
  options.addition_embed_type = "text_time";
  options.addition_time_embed_dim = 256;
  options.projection_class_embeddings_input_dim = 6 * 256 + 64;
  return options;
}

inline AutoencoderKLOptions tiny_vae() {
  AutoencoderKLOptions options;
  options.block_out_channels = {32, 32};
  options.down_block_types = {"DownEncoderBlock2D", "DownEncoderBlock2D"};
  options.up_block_types = {"UpDecoderBlock2D", "UpDecoderBlock2D"};
  return options;
}

inline ClipTextOptions tiny_text(bool second) {
  ClipTextOptions options;
  options.vocab_size = 30;
  options.hidden_size = 64;
  options.intermediate_size = 96;
  options.num_hidden_layers = 2;
  options.num_attention_heads = 1;
  options.max_position_embeddings = 7;
  options.projection_dim = 64;
  options.bos_token_id = 28, options.eos_token_id = 2;
  options.with_projection = second;
  options.hidden_act = second ? "gelu" : "quick_gelu";
  return options;
}

inline void perturb_all(const Pipeline& pipeline) {
  int64_t seed = 0;
  for (const PipelineModule& each : modules_of(pipeline))
    for (const NamedParameter& named : parameters(*each.module)) {
      Tensor moved = named.parameter->value().clone();
      float* values = moved.mutable_data<float>();
      for (int64_t i = 0; i < moved.numel(); ++i) values[i] += 0.01f * float((7 * i + 3 * seed) % 11 - 5);
      named.parameter->assign(moved);
      ++seed;
    }
}

inline const char* const kVocabulary = R"({"!": 0, "a": 1, "b": 2, "a</w>": 3, "b</w>": 4, "ab</w>": 5,
  "<|startoftext|>": 28, "<|endoftext|>": 29})";
inline const char* const kMerges = "#version: 0.2\na b</w>\n";

/// Prompts of `tokens` for every tokenizer that there is.
inline void set_model_max_length(Pipeline& pipeline, int64_t tokens) {
  for (const std::string folder : {"tokenizer", "tokenizer_2"})
    if (pipeline.tokenizer_files.contains(folder + "/vocab.json"))
      pipeline.tokenizer_files[folder + "/tokenizer_config.json"] =
          "{\"model_max_length\": " + std::to_string(tokens) + "}";
}

/// class_name decides what is in it. `seed` of the weights.
inline Pipeline tiny_pipeline(const std::string& class_name, uint64_t seed = 1) {
  Generator generator(seed);
  Pipeline pipeline;
  pipeline.class_name = class_name;
  const bool large = class_name.starts_with("StableDiffusionXL"), stable = class_name.starts_with("StableDiffusion");
  const bool text = stable || class_name == "TextToPixelsPipeline";
  Json config = text ? config_of(tiny_condition_unet(large)) : config_of(tiny_unet());
  if (text && !stable) config.set("in_channels", 3).set("out_channels", 3);
  if (class_name == "LDMPipeline") config.set("in_channels", 4).set("out_channels", 4);
  pipeline.unet = make_picture_denoiser(config, generator);
  if (stable || class_name == "LDMPipeline") pipeline.vae = std::make_unique<AutoencoderKL>(tiny_vae(), generator);
  if (text) {
    pipeline.text_encoder = std::make_unique<ClipTextModel>(tiny_text(false), generator);
    pipeline.tokenizer_files = {{"tokenizer/vocab.json", kVocabulary}, {"tokenizer/merges.txt", kMerges}};
  }
  if (large) {
    pipeline.text_encoder_2 = std::make_unique<ClipTextModel>(tiny_text(true), generator);
    pipeline.tokenizer_files["tokenizer_2/vocab.json"] = kVocabulary;
    pipeline.tokenizer_files["tokenizer_2/merges.txt"] = kMerges;
    pipeline.tokenizer_files["tokenizer_2/tokenizer_config.json"] = R"({"pad_token": "!"})";
    pipeline.force_zeros_for_empty_prompt = false;
  }
  Json scheduler = Json::object();
  scheduler.set("_class_name", large ? "EulerDiscreteScheduler" : text ? "PNDMScheduler" : "DDPMScheduler");
  scheduler.set("beta_schedule", "scaled_linear").set("beta_start", 0.00085).set("beta_end", 0.012);
  if (text) scheduler.set("steps_offset", 1);
  pipeline.scheduler = scheduler_config(scheduler);
  perturb_all(pipeline);
  return pipeline;
}

}  // namespace plumb::test
