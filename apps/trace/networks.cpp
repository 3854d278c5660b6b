#include "apps/trace/networks.h"

#include <fmt/format.h>

#include "apps/common/exit_codes.h"
#include "apps/common/nearest.h"
#include "diffusion/point_model.h"
#include "diffusion/unet_condition_denoiser.h"
#include "diffusion/unet_denoiser.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb::trace {
namespace {

TracedNetwork make_toy(const NetworkSizes& sizes, Generator& generator) {
  std::unique_ptr<PointDenoiser> network;
  if (sizes.model.empty()) {
    PointDenoiserOptions options;
    options.hidden = sizes.hidden.value_or(options.hidden);
    options.hidden_layers = sizes.hidden_layers.value_or(options.hidden_layers);
    network = std::make_unique<PointDenoiser>(options, generator);
  } else {
    network = load_point_model(sizes.model).network;
  }
  const PointDenoiserOptions& options = network->options();
  return {std::move(network), {options.dimensions}, options.classes};
}

/// The network of the speed goals: 6.5 million parameters, attention at a quarter of the side.
TracedNetwork make_unet(const NetworkSizes& sizes, Generator& generator) {
  require<UsageError>(sizes.model.empty(), "trace: --model takes a model of points (--network toy)");
  const int64_t channels = sizes.hidden.value_or(64), side = sizes.side.value_or(32);
  UNet2DOptions options;
  options.block_out_channels = {channels, 2 * channels, 2 * channels};
  options.down_block_types = {"DownBlock2D", "DownBlock2D", "AttnDownBlock2D"};
  options.up_block_types = {"AttnUpBlock2D", "UpBlock2D", "UpBlock2D"};
  options.layers_per_block = sizes.hidden_layers.value_or(2);
  options.attention_head_dim = channels;
  auto network = std::make_unique<UNetDenoiser>(options, generator);
  network->unet().set_gradient_checkpointing(sizes.checkpointing);
  return {std::move(network), {options.in_channels, side, side}, 0};
}

constexpr int64_t kTokens = 77;

TracedNetwork with_text(const UNet2DConditionOptions& options, const NetworkSizes& sizes, Generator& generator) {
  auto network = std::make_unique<UNetConditionDenoiser>(options, generator);
  network->set_gradient_checkpointing(sizes.checkpointing);
  const int64_t side = sizes.side.value_or(options.sample_size->height);
  return {std::move(network), {options.in_channels, side, side}, 0, {kTokens, options.context_features()}};
}

/// As make_unet's, with transformers that look at a text instead of its attention, and one level more of them.
TracedNetwork make_text_unet(const NetworkSizes& sizes, Generator& generator) {
  require<UsageError>(sizes.model.empty(), "trace: --model takes a model of points (--network toy)");
  const int64_t channels = sizes.hidden.value_or(64);
  UNet2DConditionOptions options;
  options.sample_size = Size2d{32, 32};
  options.in_channels = options.out_channels = 3;
  options.block_out_channels = {channels, 2 * channels, 2 * channels};
  options.down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"};
  options.up_block_types = {"CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"};
  options.layers_per_block = sizes.hidden_layers.value_or(2);
  options.attention_head_dim = 2;
  options.cross_attention_dim = 2 * channels;
  return with_text(options, sizes, generator);
}

TracedNetwork make_stable_diffusion(const NetworkSizes& sizes, Generator& generator) {
  require<UsageError>(sizes.model.empty() && !sizes.hidden && !sizes.hidden_layers,
                      "trace: --network sd15 has sizes of its own");
  UNet2DConditionOptions options;
  options.sample_size = Size2d{64, 64};
  options.cross_attention_dim = 768;
  return with_text(options, sizes, generator);
}

}  // namespace

const std::vector<NetworkEntry>& network_table() {
  static const std::vector<NetworkEntry> all = {
      {"toy", "the network of points: three hidden layers of 128", 512, make_toy},
      {"unet", "of pictures 32x32, 6.5 M parameters", 16, make_unet},
      {"text_unet", "of pictures 32x32 and a text, 10.1 M parameters", 16, make_text_unet},
      {"sd15", "of Stable Diffusion 1.5: latents 64x64 and a text, 860 M parameters", 1, make_stable_diffusion},
  };
  return all;
}

const NetworkEntry& find_network(std::string_view name) {
  std::vector<std::string> names;
  for (const NetworkEntry& entry : network_table()) {
    if (entry.name == name) return entry;
    names.emplace_back(entry.name);
  }
  const std::string near = nearest(std::string(name), names);
  raise<UsageError>("trace: --network expects one of {} (got \"{}\"){}", fmt::join(names, ", "), name,
                    near.empty() ? "" : "; did you mean " + near + "?");
}

}  // namespace plumb::trace
