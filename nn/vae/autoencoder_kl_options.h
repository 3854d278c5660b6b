#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/dtype.h"
#include "engine/io/json.h"

namespace plumb {

/// The configuration of an AutoencoderKL; names, defaults and meaning are diffusers'.
struct AutoencoderKLOptions {
  int64_t in_channels = 3;
  int64_t out_channels = 3;
  std::vector<std::string> down_block_types = {"DownEncoderBlock2D"};  ///< no others
  std::vector<std::string> up_block_types = {"UpDecoderBlock2D"};      ///< no others
  std::vector<int64_t> block_out_channels = {64};                      ///< of each level; the first is the largest
  int64_t layers_per_block = 1;  ///< residual blocks of a level; one more going up
  std::string act_fn = "silu";
  int64_t latent_channels = 4;
  int64_t norm_num_groups = 32;
  int64_t sample_size = 32;         ///< of a tile, in pixels of the picture
  double scaling_factor = 0.18215;  ///< what a diffusion model sees is multiplied by it
  std::optional<double> shift_factor = {};
  std::optional<std::vector<double>> latents_mean = {};  ///< of each channel; together with latents_std
  std::optional<std::vector<double>> latents_std = {};
  bool force_upcast = true;  ///< see dtype_for
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;
  bool mid_block_add_attention = true;

  /// Throws ValueError naming the key whose value is impossible or not supported.
  void check() const;
  /// Pixels of the picture to one of the latents, 2^(levels - 1).
  int64_t reduction() const { return int64_t(1) << (block_out_channels.size() - 1); }
  /// What to run the network in where `wanted` is wished for: f32 in place of f16 with force_upcast, because such a
  /// network's features overflow f16.
  DType dtype_for(DType wanted) const { return force_upcast && wanted == DType::f16 ? DType::f32 : wanted; }
};

/// Options from a diffusers config.json: absent keys keep their defaults, keys that begin with an underscore say
/// nothing about the network. Throws ValueError naming a key that is unknown or whose value has the wrong kind; whether
/// the values make sense is AutoencoderKLOptions::check's business.
AutoencoderKLOptions autoencoder_kl_options(const Json& config);

/// The config.json of these options, with _class_name.
Json config_of(const AutoencoderKLOptions& options);

}  // namespace plumb
