#include "nn/unet/unet2d_options.h"

#include "engine/format.h"
#include "engine/require.h"
#include "nn/layers/activation_kind.h"

namespace plumb {
namespace {

void check_choice(const char* key, const std::string& value, std::initializer_list<const char*> choices) {
  std::string list;
  bool known = false;
  for (const char* choice : choices) {
    list += (list.empty() ? "\"" : " or \"") + std::string(choice) + "\"";
    known |= value == choice;
  }
  require<ValueError>(known, "UNet2DModel: {} must be {} (\"{}\")", key, list, value);
}

void check_positive(const char* key, int64_t value) {
  require<ValueError>(value >= 1, "UNet2DModel: {} must be at least 1 ({})", key, value);
}

void check_levels(const UNet2DOptions& o) {
  const size_t levels = o.block_out_channels.size();
  require<ValueError>(levels >= 1 && o.down_block_types.size() == levels && o.up_block_types.size() == levels,
                      "UNet2DModel: down_block_types, up_block_types and block_out_channels must name as many levels "
                      "({}, {}, {})",
                      o.down_block_types.size(), o.up_block_types.size(), levels);
  for (const std::string& type : o.down_block_types)
    check_choice("down_block_types", type, {"DownBlock2D", "AttnDownBlock2D"});
  for (const std::string& type : o.up_block_types) check_choice("up_block_types", type, {"UpBlock2D", "AttnUpBlock2D"});
  for (const int64_t channels : o.block_out_channels)
    require<ValueError>(channels >= 1 && channels % o.norm_num_groups == 0,
                        "UNet2DModel: block_out_channels must be multiples of norm_num_groups ({}, {} groups)",
                        channels, o.norm_num_groups);
}

}  // namespace

void UNet2DOptions::check() const {
  check_positive("in_channels", in_channels);
  check_positive("out_channels", out_channels);
  check_positive("layers_per_block", layers_per_block);
  check_positive("norm_num_groups", norm_num_groups);
  check_levels(*this);
  check_positive("time_embedding_dim", time_features());
  require<ValueError>(block_out_channels[0] >= 2, "UNet2DModel: block_out_channels[0] must be at least 2 ({})",
                      block_out_channels[0]);
  check_positive("attention_head_dim", attention_head_dim.value_or(1));
  check_positive("attn_norm_num_groups", attn_norm_num_groups.value_or(1));
  check_positive("num_class_embeds", num_class_embeds.value_or(1));
  require<ValueError>(mid_block_scale_factor != 0, "UNet2DModel: mid_block_scale_factor must not be 0");
  require<ValueError>(dropout >= 0 && dropout <= 1, "UNet2DModel: dropout must be in [0, 1] ({})", dropout);
  require<ValueError>(downsample_padding == 0 || downsample_padding == 1,
                      "UNet2DModel: downsample_padding must be 0 or 1 ({})", downsample_padding);
  require<ValueError>(!sample_size || (sample_size->height >= 1 && sample_size->width >= 1),
                      "UNet2DModel: sample_size must be at least 1 ({}, {})", sample_size.value_or(Size2d{}).height,
                      sample_size.value_or(Size2d{}).width);
  check_choice("time_embedding_type", time_embedding_type, {"positional"});
  check_choice("mid_block_type", mid_block_type, {"UNetMidBlock2D", ""});
  check_choice("downsample_type", downsample_type, {"conv", "resnet"});
  check_choice("upsample_type", upsample_type, {"conv", "resnet"});
  check_choice("resnet_time_scale_shift", resnet_time_scale_shift, {"default", "scale_shift"});
  check_choice("class_embed_type", class_embed_type, {"", "timestep"});
  activation_kind(act_fn);
}

}  // namespace plumb
