#include "nn/vae/autoencoder_kl_options.h"

#include <cmath>

#include "engine/format.h"
#include "engine/require.h"
#include "nn/config_fields.h"
#include "nn/layers/activation_kind.h"

namespace plumb {
namespace {

constexpr const char* kClass = "AutoencoderKL";

/// Calls use(key, member) for every option.
template <class F>
void for_each_option(AutoencoderKLOptions& o, F use) {
  use("in_channels", o.in_channels);
  use("out_channels", o.out_channels);
  use("down_block_types", o.down_block_types);
  use("up_block_types", o.up_block_types);
  use("block_out_channels", o.block_out_channels);
  use("layers_per_block", o.layers_per_block);
  use("act_fn", o.act_fn);
  use("latent_channels", o.latent_channels);
  use("norm_num_groups", o.norm_num_groups);
  use("sample_size", o.sample_size);
  use("scaling_factor", o.scaling_factor);
  use("shift_factor", o.shift_factor);
  use("latents_mean", o.latents_mean);
  use("latents_std", o.latents_std);
  use("force_upcast", o.force_upcast);
  use("use_quant_conv", o.use_quant_conv);
  use("use_post_quant_conv", o.use_post_quant_conv);
  use("mid_block_add_attention", o.mid_block_add_attention);
}

void check_positive(const char* key, int64_t value) {
  require<ValueError>(value >= 1, "AutoencoderKL: {} must be at least 1 ({})", key, value);
}

void check_types(const char* key, const std::vector<std::string>& types, const char* only) {
  for (const std::string& type : types)
    require<ValueError>(type == only, "AutoencoderKL: {} must be \"{}\" (\"{}\")", key, only, type);
}

void check_levels(const AutoencoderKLOptions& o) {
  const size_t levels = o.block_out_channels.size();
  require<ValueError>(
      levels >= 1 && levels <= 16 && o.down_block_types.size() == levels && o.up_block_types.size() == levels,
      "AutoencoderKL: down_block_types, up_block_types and block_out_channels must name as many levels ({}, {}, {})",
      o.down_block_types.size(), o.up_block_types.size(), levels);
  check_types("down_block_types", o.down_block_types, "DownEncoderBlock2D");
  check_types("up_block_types", o.up_block_types, "UpDecoderBlock2D");
  for (const int64_t channels : o.block_out_channels)
    require<ValueError>(channels >= 1 && channels % o.norm_num_groups == 0,
                        "AutoencoderKL: block_out_channels must be multiples of norm_num_groups ({}, {} groups)",
                        channels, o.norm_num_groups);
}

/// Absent, or one finite number a channel of the latents.
void check_statistics(const char* key, const std::optional<std::vector<double>>& values, int64_t channels) {
  if (!values) return;
  require<ValueError>(int64_t(values->size()) == channels,
                      "AutoencoderKL: {} must have latent_channels values ({}, {})", key, values->size(), channels);
  for (const double value : *values)
    require<ValueError>(std::isfinite(value), "AutoencoderKL: {} must be finite ({})", key, value);
}

void check_scaling(const AutoencoderKLOptions& o) {
  require<ValueError>(std::isfinite(o.scaling_factor) && o.scaling_factor != 0,
                      "AutoencoderKL: scaling_factor must be finite and not 0 ({})", o.scaling_factor);
  require<ValueError>(std::isfinite(o.shift_factor.value_or(0)), "AutoencoderKL: shift_factor must be finite ({})",
                      o.shift_factor.value_or(0));
  require<ValueError>(o.latents_mean.has_value() == o.latents_std.has_value(),
                      "AutoencoderKL: latents_mean and latents_std must be given together");
  require<ValueError>(!o.latents_mean || !o.shift_factor,
                      "AutoencoderKL: latents_mean and shift_factor exclude each other");
  check_statistics("latents_mean", o.latents_mean, o.latent_channels);
  check_statistics("latents_std", o.latents_std, o.latent_channels);
  for (const double deviation : o.latents_std.value_or(std::vector<double>{}))
    require<ValueError>(deviation != 0, "AutoencoderKL: latents_std must not be 0");
}

}  // namespace

void AutoencoderKLOptions::check() const {
  check_positive("in_channels", in_channels);
  check_positive("out_channels", out_channels);
  check_positive("layers_per_block", layers_per_block);
  check_positive("latent_channels", latent_channels);
  check_positive("norm_num_groups", norm_num_groups);
  check_positive("sample_size", sample_size);
  check_levels(*this);
  check_scaling(*this);
  activation_kind(act_fn);
}

AutoencoderKLOptions autoencoder_kl_options(const Json& config) {
  AutoencoderKLOptions options;
  read_config(kClass, config, {}, options, [](auto& o, auto use) { for_each_option(o, use); });
  return options;
}

Json config_of(const AutoencoderKLOptions& options) {
  return write_config(kClass, options, [](auto& o, auto use) { for_each_option(o, use); });
}

}  // namespace plumb
