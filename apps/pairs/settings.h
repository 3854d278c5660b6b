#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/training_flags.h"
#include "apps/pairs/make_pairs.h"

namespace plumb {

/// The flags of `plumb pairs`, for points and for pictures.
struct PairsSettings {
  GlobalFlags global{.out = "runs/pairs"};
  std::string model = {};
  PairSettings points = {};
  int64_t steps = 25;
  std::string spacing = "auto";  ///< pictures: the model's own; points: trailing

  std::string prompts = {};  ///< pictures, from here on
  std::string perturbation = "removal";
  std::string world = "tiny";  ///< of swap
  std::optional<int64_t> num_pairs = {};
  std::string losers = "sampled";
  std::string sampler = "auto";
  double guidance_scale = 7.5;
  std::optional<int64_t> height = {}, width = {};
  int64_t batch_size = 8;
  bool save_latents = false;
  std::string tokenizer = {};
  std::string variant = {};
  MixedPrecision mixed_precision = MixedPrecision::no;

  bool has_losers() const { return losers == "sampled"; }
};

void add_pairs_flags(Flags& flags, PairsSettings& settings);

/// Throws UsageError naming a flag that was given and is only for the other kind of model.
void refuse_picture_pair_flags(const Flags& flags);
void refuse_point_pair_flags(const Flags& flags);

/// Names of the flags that are for points alone.
std::vector<std::string_view> point_pair_flags();

}  // namespace plumb
