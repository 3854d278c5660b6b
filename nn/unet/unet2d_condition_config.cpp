#include "nn/unet/unet2d_condition_config.h"

namespace plumb {
namespace {

constexpr const char* kClass = "UNet2DConditionModel";

/// Calls use(key, member) for every option, in diffusers' order.
template <class Options, class F>
void for_each_option(Options& o, F use) {
  use("sample_size", o.sample_size);
  use("in_channels", o.in_channels);
  use("out_channels", o.out_channels);
  use("center_input_sample", o.center_input_sample);
  use("flip_sin_to_cos", o.flip_sin_to_cos);
  use("freq_shift", o.freq_shift);
  use("down_block_types", o.down_block_types);
  use("mid_block_type", o.mid_block_type);
  use("up_block_types", o.up_block_types);
  use("only_cross_attention", o.only_cross_attention);
  use("block_out_channels", o.block_out_channels);
  use("layers_per_block", o.layers_per_block);
  use("downsample_padding", o.downsample_padding);
  use("mid_block_scale_factor", o.mid_block_scale_factor);
  use("dropout", o.dropout);
  use("act_fn", o.act_fn);
  use("norm_num_groups", o.norm_num_groups);
  use("norm_eps", o.norm_eps);
  use("cross_attention_dim", o.cross_attention_dim);
  use("transformer_layers_per_block", o.transformer_layers_per_block);
  use("reverse_transformer_layers_per_block", o.reverse_transformer_layers_per_block);
  use("attention_head_dim", o.attention_head_dim);
  use("use_linear_projection", o.use_linear_projection);
  use("class_embed_type", o.class_embed_type);
  use("addition_embed_type", o.addition_embed_type);
  use("addition_time_embed_dim", o.addition_time_embed_dim);
  use("num_class_embeds", o.num_class_embeds);
  use("upcast_attention", o.upcast_attention);
  use("resnet_time_scale_shift", o.resnet_time_scale_shift);
  use("time_embedding_type", o.time_embedding_type);
  use("time_embedding_dim", o.time_embedding_dim);
  use("conv_in_kernel", o.conv_in_kernel);
  use("conv_out_kernel", o.conv_out_kernel);
  use("projection_class_embeddings_input_dim", o.projection_class_embeddings_input_dim);
  use("class_embeddings_concat", o.class_embeddings_concat);
}

/// diffusers itself refuses num_attention_heads; the rest belongs to other families of models.
const auto kUnsupported = {
    ConfigDefault{"num_attention_heads", nullptr},
    ConfigDefault{"dual_cross_attention", false},
    ConfigDefault{"encoder_hid_dim", nullptr},
    ConfigDefault{"encoder_hid_dim_type", nullptr},
    ConfigDefault{"resnet_skip_time_act", false},
    ConfigDefault{"resnet_out_scale_factor", 1},
    ConfigDefault{"time_embedding_act_fn", nullptr},
    ConfigDefault{"timestep_post_act", nullptr},
    ConfigDefault{"time_cond_proj_dim", nullptr},
    ConfigDefault{"attention_type", "default"},
    ConfigDefault{"mid_block_only_cross_attention", false},
    ConfigDefault{"cross_attention_norm", nullptr},
    ConfigDefault{"addition_embed_type_num_heads", 64},
};

}  // namespace

UNet2DConditionOptions unet2d_condition_options(const Json& config) {
  UNet2DConditionOptions options;
  read_config(kClass, config, kUnsupported, options, [](auto& o, auto use) { for_each_option(o, use); });
  return options;
}

Json config_of(const UNet2DConditionOptions& options) {
  return write_config(kClass, options, [](auto& o, auto use) { for_each_option(o, use); });
}

}  // namespace plumb
