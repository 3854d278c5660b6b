// Configurations read off the names and shapes of a single file.

#include <algorithm>

#include "engine/require.h"
#include "nn/clip/clip_options.h"
#include "nn/pretrained/ldm_family.h"
#include "nn/pretrained/ldm_shapes.h"
#include "nn/unet/unet2d_condition_config.h"
#include "nn/vae/autoencoder_kl_options.h"

namespace plumb {
namespace {

constexpr int64_t kHeadFeatures = 64;  // of SD2, SDXL and every CLIP

std::string numbered(const char* start, int64_t n) { return start + std::to_string(n) + "."; }

/// A level of the unet on the way down.
struct Level {
  int64_t width = 0, blocks = 0;
  int64_t depth = 0;  // of its transformers; 0: none
};

std::vector<Level> levels_of(const LdmShapes& file) {
  std::vector<Level> levels(1);
  for (int64_t n = 1; file.has_any(numbered("input_blocks.", n)); ++n) {
    const std::string at = numbered("input_blocks.", n);
    if (file.has(at + "0.op.weight")) {
      levels.emplace_back();
      continue;
    }
    Level& level = levels.back();
    const int64_t width = file.size(at + "0.in_layers.2.weight", 4, 0);
    const int64_t depth = file.count(at + "1.transformer_blocks.");
    require<ValueError>(level.blocks == 0 || (level.width == width && level.depth == depth),
                        "single file: the blocks of a level must be alike ({} and {} channels, {} and {} layers of "
                        "attention); {}",
                        level.width, width, level.depth, depth, at);
    level = {width, level.blocks + 1, depth};
  }
  for (const Level& level : levels)
    require<ValueError>(level.blocks == levels[0].blocks && level.blocks > 0,
                        "single file: every level of the unet must have as many blocks as the first ({}, {})",
                        levels[0].blocks, level.blocks);
  return levels;
}

/// Features of the text, and whether proj_in is a matrix, from the first transformer there is.
void read_attention(const LdmShapes& file, UNet2DConditionOptions& options) {
  const std::string at = "middle_block.1.";
  options.cross_attention_dim = file.size(at + "transformer_blocks.0.attn2.to_k.weight", 2, 1);
  options.use_linear_projection = file.rank(at + "proj_in.weight") == 2;
}

Json unet_config(LdmFamily family, const LdmShapes& file) {
  UNet2DConditionOptions options;
  const std::vector<Level> levels = levels_of(file);
  options.block_out_channels.clear(), options.down_block_types.clear(), options.up_block_types.clear();
  std::vector<int64_t> heads;
  std::vector<PerLevel<int64_t>> depths;
  bool deep = false;
  for (const Level& level : levels) {
    options.block_out_channels.push_back(level.width);
    options.down_block_types.push_back(level.depth > 0 ? "CrossAttnDownBlock2D" : "DownBlock2D");
    options.up_block_types.insert(options.up_block_types.begin(), level.depth > 0 ? "CrossAttnUpBlock2D" : "UpBlock2D");
    heads.push_back(std::max<int64_t>(1, level.width / kHeadFeatures));
    depths.push_back(std::max<int64_t>(1, level.depth));
    deep = deep || level.depth > 1;
  }
  options.layers_per_block = levels[0].blocks;
  if (deep) options.transformer_layers_per_block = depths;
  if (family != LdmFamily::sd1) options.attention_head_dim = heads;
  read_attention(file, options);
  options.in_channels = file.size("input_blocks.0.0.weight", 4, 1);
  options.out_channels = file.size("out.2.weight", 4, 0);
  const int64_t sample = family == LdmFamily::sd1 ? 64 : family == LdmFamily::sd2 ? 96 : 128;
  options.sample_size = Size2d{sample, sample};
  if (file.has("label_emb.weight")) options.num_class_embeds = file.size("label_emb.weight", 2, 0);
  if (file.has("label_emb.0.0.weight")) {
    options.addition_embed_type = "text_time";
    options.addition_time_embed_dim = 256;
    options.projection_class_embeddings_input_dim = file.size("label_emb.0.0.weight", 2, 1);
  }
  return config_of(options);
}

Json vae_config(LdmFamily family, const LdmShapes& file) {
  AutoencoderKLOptions options;
  const int64_t levels = file.count("encoder.down.");
  require<ValueError>(levels > 0, "single file: the autoencoder must have levels (encoder.down.0. is missing)");
  options.block_out_channels.clear();
  for (int64_t i = 0; i < levels; ++i)
    options.block_out_channels.push_back(file.size(numbered("encoder.down.", i) + "block.0.conv1.weight", 4, 0));
  options.down_block_types.assign(size_t(levels), "DownEncoderBlock2D");
  options.up_block_types.assign(size_t(levels), "UpDecoderBlock2D");
  options.layers_per_block = file.count("encoder.down.0.block.");
  options.in_channels = file.size("encoder.conv_in.weight", 4, 1);
  options.out_channels = file.size("decoder.conv_out.weight", 4, 0);
  options.latent_channels = file.size("decoder.conv_in.weight", 4, 1);
  options.use_quant_conv = file.has("quant_conv.weight");
  options.use_post_quant_conv = file.has("post_quant_conv.weight");
  options.sample_size = family == LdmFamily::sd1 ? 512 : family == LdmFamily::sd2 ? 768 : 1024;
  const bool large = family == LdmFamily::sdxl;
  options.scaling_factor = large ? 0.13025 : 0.18215;
  options.force_upcast = large;
  return config_of(options);
}

/// What the published text encoders have in common.
ClipTextOptions published_clip() {
  ClipTextOptions options;
  options.bos_token_id = 0, options.eos_token_id = 2;  // as their files say
  return options;
}

Json clip_config(const LdmShapes& file) {
  const std::string layer = "text_model.encoder.layers.";
  ClipTextOptions options = published_clip();
  options.vocab_size = file.size("text_model.embeddings.token_embedding.weight", 2, 0);
  options.hidden_size = file.size("text_model.embeddings.token_embedding.weight", 2, 1);
  options.max_position_embeddings = file.size("text_model.embeddings.position_embedding.weight", 2, 0);
  options.num_hidden_layers = file.count(layer);
  options.intermediate_size = file.size(layer + "0.mlp.fc1.weight", 2, 0);
  options.num_attention_heads = std::max<int64_t>(1, options.hidden_size / kHeadFeatures);
  options.projection_dim = options.hidden_size;
  return config_of(options);
}

Json open_clip_config(LdmFamily family, const LdmShapes& file) {
  const std::string layer = "transformer.resblocks.";
  ClipTextOptions options = published_clip();
  options.vocab_size = file.size("token_embedding.weight", 2, 0);
  options.hidden_size = file.size("token_embedding.weight", 2, 1);
  options.max_position_embeddings = file.size("positional_embedding", 2, 0);
  options.num_hidden_layers = file.count(layer);
  options.intermediate_size = file.size(layer + "0.mlp.c_fc.weight", 2, 0);
  options.num_attention_heads = std::max<int64_t>(1, options.hidden_size / kHeadFeatures);
  options.hidden_act = "gelu";
  options.with_projection = family == LdmFamily::sdxl;
  if (options.with_projection) {
    options.projection_dim = file.size("text_projection", 2, 1);
  } else {
    // SD2 looks at the last layer but one: files of its authors have one more than folders.
    constexpr int64_t kPublishedLayers = 24;
    if (file.has("text_projection") || options.num_hidden_layers == kPublishedLayers) --options.num_hidden_layers;
  }
  return config_of(options);
}

}  // namespace

Json ldm_config(LdmFamily family, const LdmComponent& component, const StateDict& file) {
  const LdmShapes shapes(file, component.prefix);
  if (component.part == LdmPart::unet) return unet_config(family, shapes);
  if (component.part == LdmPart::vae) return vae_config(family, shapes);
  if (component.part == LdmPart::clip) return clip_config(shapes);
  return open_clip_config(family, shapes);
}

}  // namespace plumb
