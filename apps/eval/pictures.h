#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/io/json.h"

namespace plumb {

/// What `plumb eval --images` works on.
struct PictureEvalSettings {
  std::string images = {}, real = {}, features = {};
  std::optional<int64_t> num_samples = {};  ///< of each folder; the smaller folder's unless given
  int64_t batch_size = 32, splits = 10;
  int64_t kernel_subsets = 100;
  std::optional<int64_t> kernel_subset_size = {};  ///< 1000 unless given, or half of num_samples where that is less
  int64_t seed = 0;
};

/// "images" of metrics.json (docs/eval.md): distances from real pictures where there are any, Inception-style scores of
/// the network's heads, diversity. Throws UsageError, IoError, ValueError.
Json evaluate_pictures(const PictureEvalSettings& settings);

/// Its table.
std::string format_pictures(const Json& images);

}  // namespace plumb
