#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/io/json.h"

namespace plumb {

/// One thing that is told about a picture: exactly one of these classes.
struct ClassifierHead {
  std::string name = {};
  std::vector<std::string> classes = {};
  bool operator==(const ClassifierHead&) const = default;
};

/// The configuration of a PictureClassifier; the names are the keys of its config.json.
struct PictureClassifierOptions {
  int64_t in_channels = 3;
  int64_t image_size = 32;
  std::vector<int64_t> block_out_channels = {16, 32, 64};  ///< each block halves the picture
  int64_t norm_num_groups = 8;
  int64_t feature_dim = 64;
  std::vector<ClassifierHead> heads = {};

  /// Classes of all heads together.
  int64_t outputs() const;
  /// Side of the picture behind the last block.
  int64_t last_size() const;
  /// Throws ValueError naming the key whose value is impossible.
  void check() const;
};

/// Options from a config.json, {"_class_name": "PictureClassifier", …, "heads": [{"name", "classes": […]}, …]}: absent
/// keys keep their defaults. Throws ValueError naming a key that is unknown or whose value has the wrong kind.
PictureClassifierOptions picture_classifier_options(const Json& config);

/// The config.json of these options.
Json config_of(const PictureClassifierOptions& options);

}  // namespace plumb
