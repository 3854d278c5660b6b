#include "nn/unet/unet2d_condition_options.h"

#include "nn/layers/activation_kind.h"

namespace plumb {
namespace {

using Options = UNet2DConditionOptions;

void check_choice(const char* key, const std::string& value, std::initializer_list<const char*> choices) {
  std::string list;
  bool known = false;
  for (const char* choice : choices) {
    list += (list.empty() ? "\"" : " or \"") + std::string(choice) + "\"";
    known |= value == choice;
  }
  require<ValueError>(known, "UNet2DConditionModel: {} must be {} (\"{}\")", key, list, value);
}

void check_positive(const char* key, int64_t value) {
  require<ValueError>(value >= 1, "UNet2DConditionModel: {} must be at least 1 ({})", key, value);
}

/// One value, or one for each of `count`.
template <class T>
void check_list(const char* key, const PerLevel<T>& setting, size_t count) {
  require<ValueError>(setting.covers(count), "UNet2DConditionModel: {} must be one value or a list of {} ({} given)",
                      key, count, setting.values().size());
}

void check_each(const char* key, const PerLevel<int64_t>& setting, size_t count) {
  check_list(key, setting, count);
  for (const int64_t value : setting.values()) check_positive(key, value);
}

void check_levels(const Options& o) {
  const size_t levels = o.levels();
  require<ValueError>(levels >= 1 && o.down_block_types.size() == levels && o.up_block_types.size() == levels,
                      "UNet2DConditionModel: down_block_types, up_block_types and block_out_channels must name as many "
                      "levels ({}, {}, {})",
                      o.down_block_types.size(), o.up_block_types.size(), levels);
  for (const std::string& type : o.down_block_types)
    check_choice("down_block_types", type, {"DownBlock2D", "CrossAttnDownBlock2D", "AttnDownBlock2D"});
  for (const std::string& type : o.up_block_types)
    check_choice("up_block_types", type, {"UpBlock2D", "CrossAttnUpBlock2D", "AttnUpBlock2D"});
  check_choice("mid_block_type", o.mid_block_type, {"UNetMidBlock2DCrossAttn", "UNetMidBlock2D", ""});
  for (const int64_t channels : o.block_out_channels)
    require<ValueError>(channels >= 1 && channels % o.norm_num_groups == 0,
                        "UNet2DConditionModel: block_out_channels must be multiples of norm_num_groups ({}, {} groups)",
                        channels, o.norm_num_groups);
  require<ValueError>(o.block_out_channels[0] >= 2,
                      "UNet2DConditionModel: block_out_channels[0] must be at least 2 ({})", o.block_out_channels[0]);
}

/// Depths of the transformers: a list within a list counts a level's attentions.
void check_depths(const char* key, const PerLevel<PerLevel<int64_t>>& depths, const Options& o, bool up) {
  check_list(key, depths, o.levels());
  for (size_t i = 0; i < o.levels(); ++i) {
    const int64_t layers = up ? o.layers_per_block[o.levels() - 1 - i] + 1 : o.layers_per_block[i];
    check_each(key, depths[i], size_t(layers));
    require<ValueError>(up || !depths[i].is_list() || o.reverse_transformer_layers_per_block,
                        "UNet2DConditionModel: {} with a list within the list needs "
                        "reverse_transformer_layers_per_block",
                        key);
  }
}

void check_attention(const Options& o) {
  check_each("attention_head_dim", o.attention_head_dim, o.levels());
  check_each("cross_attention_dim", o.cross_attention_dim, o.levels());
  check_list("only_cross_attention", o.only_cross_attention, o.levels());
  check_depths("transformer_layers_per_block", o.transformer_layers_per_block, o, false);
  if (o.reverse_transformer_layers_per_block)
    check_depths("reverse_transformer_layers_per_block", *o.reverse_transformer_layers_per_block, o, true);
  o.context_features();
}

void check_embeddings(const Options& o) {
  check_choice("time_embedding_type", o.time_embedding_type, {"positional"});
  check_positive("time_embedding_dim", o.time_features());
  check_choice("class_embed_type", o.class_embed_type, {"", "timestep", "identity", "projection", "simple_projection"});
  check_choice("addition_embed_type", o.addition_embed_type, {"", "text_time"});
  check_positive("num_class_embeds", o.num_class_embeds.value_or(1));
  check_positive("projection_class_embeddings_input_dim", o.projection_class_embeddings_input_dim.value_or(1));
  require<ValueError>(o.addition_time_embed_dim.value_or(2) >= 2,
                      "UNet2DConditionModel: addition_time_embed_dim must be at least 2 ({})",
                      o.addition_time_embed_dim.value_or(2));
  const bool projects = o.class_embed_type.ends_with("projection") || o.has_text_time();
  require<ValueError>(!projects || o.projection_class_embeddings_input_dim,
                      "UNet2DConditionModel: {} needs projection_class_embeddings_input_dim",
                      o.has_text_time() ? "addition_embed_type" : "class_embed_type");
  require<ValueError>(!o.has_text_time() || o.addition_time_embed_dim,
                      "UNet2DConditionModel: addition_embed_type needs addition_time_embed_dim");
  require<ValueError>(!o.class_embeddings_concat || o.has_classes(),
                      "UNet2DConditionModel: class_embeddings_concat needs class_embed_type or num_class_embeds");
  require<ValueError>(!o.class_embeddings_concat || !o.has_text_time(),
                      "UNet2DConditionModel: class_embeddings_concat and addition_embed_type cannot go together");
}

void check_kernel(const char* key, int64_t size) {
  require<ValueError>(size >= 1 && size % 2 == 1, "UNet2DConditionModel: {} must be odd ({})", key, size);
}

}  // namespace

int64_t UNet2DConditionOptions::context_features() const {
  int64_t features = 0;
  auto look = [&](bool looks, size_t level) {
    if (!looks) return;
    const int64_t here = cross_attention_dim[level];
    require<ValueError>(features == 0 || features == here,
                        "UNet2DConditionModel: cross_attention_dim must be the same on every level that uses it ({}, "
                        "{}); there is one context",
                        features, here);
    features = here;
  };
  for (size_t i = 0; i < levels(); ++i) {
    look(down_block_types[i] == "CrossAttnDownBlock2D", i);
    look(up_block_types[i] == "CrossAttnUpBlock2D", levels() - 1 - i);
  }
  look(mid_block_type == "UNetMidBlock2DCrossAttn", levels() - 1);
  return features;
}

void UNet2DConditionOptions::check() const {
  check_positive("in_channels", in_channels);
  check_positive("out_channels", out_channels);
  check_positive("norm_num_groups", norm_num_groups);
  check_levels(*this);
  check_each("layers_per_block", layers_per_block, levels());
  check_attention(*this);
  check_embeddings(*this);
  check_kernel("conv_in_kernel", conv_in_kernel);
  check_kernel("conv_out_kernel", conv_out_kernel);
  require<ValueError>(mid_block_scale_factor != 0, "UNet2DConditionModel: mid_block_scale_factor must not be 0");
  require<ValueError>(dropout >= 0 && dropout <= 1, "UNet2DConditionModel: dropout must be in [0, 1] ({})", dropout);
  require<ValueError>(downsample_padding == 0 || downsample_padding == 1,
                      "UNet2DConditionModel: downsample_padding must be 0 or 1 ({})", downsample_padding);
  require<ValueError>(!sample_size || (sample_size->height >= 1 && sample_size->width >= 1),
                      "UNet2DConditionModel: sample_size must be at least 1 ({}, {})",
                      sample_size.value_or(Size2d{}).height, sample_size.value_or(Size2d{}).width);
  check_choice("resnet_time_scale_shift", resnet_time_scale_shift, {"default", "scale_shift"});
  activation_kind(act_fn);
}

}  // namespace plumb
