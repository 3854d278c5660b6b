#pragma once

#include <memory>

#include "apps/train/pictures/batches.h"
#include "apps/train/pictures/model.h"
#include "diffusion/denoising_loss.h"

namespace plumb::train {

/// What the network is given in each step: pictures (or latents) with noise, timesteps and conditions. A pure function
/// of seed and step; the draws of a sample depend on its place in the whole step and not on how the step is cut into
/// batches.
class Inputs {
 public:
  /// `data` and `pipeline` must outlive it; the pipeline's modules are on settings.device.
  Inputs(const PictureSettings& settings, const PictureDataset& data, Pipeline& pipeline,
         const PictureTransform& transform, const RandomKey& key);

  /// The host's part: reads the pictures of a step and brings them to where batch() finds them.
  void go_to(int64_t step);
  /// The device's part: batch `part` of the step's accumulation, with the draws of `step`.
  DenoisingBatch batch(int64_t step, int64_t part) const;

  /// Of a sample as the network sees it, [C, H, W].
  const Shape& shape() const { return shape_; }

 private:
  void read_labels(const std::vector<int64_t>& samples);
  Tensor clean(const RandomKey& key, int64_t begin, int64_t end) const;
  Tensor noise(const RandomKey& key, int64_t rows) const;
  Condition condition(int64_t begin, int64_t end) const;

  const PictureSettings& settings_;
  const PictureDataset& data_;
  Pipeline& pipeline_;
  RandomKey key_;
  int64_t timesteps_;
  Shape shape_;
  PictureBatches batches_;
  Tensor pixels_;  // f32 [rows, C, H, W] of the step, on the device
  Tensor labels_;  // i64 [rows]; undefined without classes
};

}  // namespace plumb::train
