#include "nn/unet/unet2d_config.h"

#include "nn/config_fields.h"

namespace plumb {
namespace {

constexpr const char* kClass = "UNet2DModel";

/// Calls use(key, member) for every option.
template <class F>
void for_each_option(UNet2DOptions& o, F use) {
  use("sample_size", o.sample_size);
  use("in_channels", o.in_channels);
  use("out_channels", o.out_channels);
  use("center_input_sample", o.center_input_sample);
  use("time_embedding_type", o.time_embedding_type);
  use("time_embedding_dim", o.time_embedding_dim);
  use("freq_shift", o.freq_shift);
  use("flip_sin_to_cos", o.flip_sin_to_cos);
  use("down_block_types", o.down_block_types);
  use("mid_block_type", o.mid_block_type);
  use("up_block_types", o.up_block_types);
  use("block_out_channels", o.block_out_channels);
  use("layers_per_block", o.layers_per_block);
  use("mid_block_scale_factor", o.mid_block_scale_factor);
  use("downsample_padding", o.downsample_padding);
  use("downsample_type", o.downsample_type);
  use("upsample_type", o.upsample_type);
  use("dropout", o.dropout);
  use("act_fn", o.act_fn);
  use("attention_head_dim", o.attention_head_dim);
  use("norm_num_groups", o.norm_num_groups);
  use("attn_norm_num_groups", o.attn_norm_num_groups);
  use("norm_eps", o.norm_eps);
  use("resnet_time_scale_shift", o.resnet_time_scale_shift);
  use("add_attention", o.add_attention);
  use("class_embed_type", o.class_embed_type);
  use("num_class_embeds", o.num_class_embeds);
}

}  // namespace

UNet2DOptions unet2d_options(const Json& given) {
  UNet2DOptions options;
  Json config = given;
  config.erase("num_train_timesteps");  // of a table of timesteps that the other kinds of embedding do without
  read_config(kClass, config, {}, options, [](auto& o, auto use) { for_each_option(o, use); });
  return options;
}

Json config_of(const UNet2DOptions& options) {
  return write_config(kClass, options, [](auto& o, auto use) { for_each_option(o, use); });
}

}  // namespace plumb
