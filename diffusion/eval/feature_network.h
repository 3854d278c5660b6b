#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/tensor.h"
#include "nn/classifier/picture_classifier_options.h"
#include "nn/data/picture_transform.h"

namespace plumb {

/// What names a feature space: numbers of two spaces cannot be compared.
struct FeatureSpace {
  std::string network;  ///< class, as the folder's config.json names it
  std::string output;   ///< which of its outputs: "features", "image_embeds", "pooled"
  int64_t dimensions = 0;
  std::string weights_sha256;
};

/// Features of N pictures, and what they are taken for.
struct NetworkOutput {
  Tensor features;  ///< f32 [N, dimensions]
  Tensor logits;    ///< f32 [N, classes of all heads]; undefined without heads
};

/// A network that turns pictures into features. Runs on the CPU, without gradients.
class FeatureNetwork {
 public:
  virtual ~FeatureNetwork() = default;

  const FeatureSpace& space() const { return space_; }
  /// How pictures are made ready: pixels in [-1, 1].
  const PictureTransform& transform() const { return transform_; }
  /// Empty unless the network classifies.
  const std::vector<ClassifierHead>& heads() const { return heads_; }

  /// pixels: f32 [N, channels, resolution, resolution] in [-1, 1]. Throws ShapeError.
  virtual NetworkOutput forward(const Tensor& pixels) = 0;

 protected:
  FeatureSpace space_;
  PictureTransform transform_;
  std::vector<ClassifierHead> heads_ = {};
};

/// Reads a folder with config.json and the weights in safetensors files:
///   PictureClassifier              ours, as `plumb shapes features` writes it (nn/classifier)
///   CLIPVisionModel, CLIPModel,    transformers'; mean and deviation of preprocessor_config.json, or those of OpenAI's
///   CLIPVisionModelWithProjection  models where there is none; image_embeds, or pooled without a projection
/// Throws IoError or ValueError naming file and key or tensor.
std::unique_ptr<FeatureNetwork> load_feature_network(const std::filesystem::path& folder);

}  // namespace plumb
