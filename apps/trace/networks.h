#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diffusion/denoiser.h"
#include "engine/random/generator.h"

namespace plumb::trace {

/// What sizes a network can be given; each reads those that it has.
struct NetworkSizes {
  std::string model = {};                     ///< folder of a trained one
  std::optional<int64_t> hidden = {};         ///< features of a hidden layer, or channels of the first level
  std::optional<int64_t> hidden_layers = {};  ///< or blocks a level
  bool checkpointing = false;                 ///< activations of blocks are computed again in backward
  std::optional<int64_t> side = {};           ///< of a picture
};

/// A network that can be traced, with what its input looks like.
struct TracedNetwork {
  std::unique_ptr<Denoiser> denoiser;
  Shape sample;         ///< of one sample, without the batch: [2], [3, 32, 32]
  int64_t classes = 0;  ///< labels are drawn from [0, classes); 0: none
  Shape context = {};   ///< of one sample's text: [tokens, features]; empty: none
};

/// One line a network. `batch` is the default of --batch.
struct NetworkEntry {
  std::string_view name;
  std::string_view summary;
  int64_t batch;
  TracedNetwork (*make)(const NetworkSizes& sizes, Generator& generator);
};
const std::vector<NetworkEntry>& network_table();

/// Throws UsageError naming the nearest.
const NetworkEntry& find_network(std::string_view name);

}  // namespace plumb::trace
