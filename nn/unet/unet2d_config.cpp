#include "nn/unet/unet2d_config.h"

#include "engine/require.h"

namespace plumb {
namespace {

void read(const Json& from, bool& to) { to = from.as_bool(); }
void read(const Json& from, int64_t& to) { to = from.as_integer(); }
void read(const Json& from, double& to) { to = from.as_number(); }
void read(const Json& from, std::string& to) { to = from.is_null() ? "" : from.as_string(); }

template <class T>
void read(const Json& from, std::vector<T>& to) {
  to.clear();
  for (const Json& each : from.as_array()) read(each, to.emplace_back());
}

template <class T>
void read(const Json& from, std::optional<T>& to) {
  if (from.is_null()) return to.reset();
  read(from, to.emplace());
}

/// Calls use(key, member) for every option.
template <class F>
void for_each_option(UNet2DOptions& o, F use) {
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

void read_option(UNet2DOptions& options, std::string_view key, const Json& value) {
  if (key.starts_with("_") || key == "sample_size" || key == "num_train_timesteps") return;
  bool known = false;
  for_each_option(options, [&](std::string_view name, auto& member) {
    if (name != key) return;
    known = true;
    try {
      read(value, member);
    } catch (const ValueError& error) {
      throw ValueError("UNet2DModel config: " + std::string(key) + ": " + error.what());
    }
  });
  require<ValueError>(known, "UNet2DModel config: unknown key \"{}\"", key);
}

}  // namespace

UNet2DOptions unet2d_options(const Json& config) {
  UNet2DOptions options;
  for (const JsonMember& member : config.as_object()) read_option(options, member.key, member.value);
  return options;
}

}  // namespace plumb
