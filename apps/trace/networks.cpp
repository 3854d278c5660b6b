#include "apps/trace/networks.h"

#include <fmt/format.h>

#include "apps/common/exit_codes.h"
#include "apps/common/nearest.h"
#include "diffusion/point_model.h"
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

}  // namespace

const std::vector<NetworkEntry>& network_table() {
  static const std::vector<NetworkEntry> all = {
      {"toy", "the network of points: three hidden layers of 128", 512, make_toy},
      {"unet", "of pictures 32x32, 6.5 M parameters", 16, make_unet},
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
