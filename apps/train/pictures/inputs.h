#pragma once

#include <memory>

#include "apps/train/pictures/batches.h"
#include "apps/train/pictures/latents.h"
#include "apps/train/pictures/model.h"
#include "apps/train/pictures/texts.h"
#include "diffusion/denoising_loss.h"
#include "diffusion/text_encoding.h"

namespace plumb::train {

/// What the network is given in each step: pictures (or latents) with noise, timesteps and conditions. A pure function
/// of seed and step; the draws of a sample depend on its place in the whole step and not on how the step is cut into
/// batches.
class Inputs {
 public:
  /// `data` and `pipeline` must outlive it; the pipeline's modules are on settings.device.
  Inputs(const PictureSettings& settings, const PictureDataset& data, Pipeline& pipeline,
         const PictureTransform& transform, const RandomKey& key);

  /// Makes what is kept in the output folder's cache: latents, and what the text encoders make of the captions.
  void prepare();
  /// The host's part: reads the pictures of a step and brings them to where batch() finds them.
  void go_to(int64_t step);
  /// The device's part: batch `part` of the step's accumulation, with the draws of `step`.
  DenoisingBatch batch(int64_t step, int64_t part) const;

  /// Of a sample as the network sees it, [C, H, W].
  const Shape& shape() const { return shape_; }

 private:
  std::vector<int64_t> read_pictures(int64_t step, std::vector<PictureOrigin>& origins);
  void read_labels(const std::vector<int64_t>& samples);
  void read_tokens(int64_t step, const std::vector<int64_t>& samples);
  void read_texts(int64_t step, const std::vector<int64_t>& samples, const std::vector<PictureOrigin>& origins);
  void place(Tensor& kept, const Tensor& found) const;
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
  std::unique_ptr<CaptionTokens> tokens_;  // where the text encoder is trained
  std::unique_ptr<Texts> texts_;           // otherwise, where the network looks at text
  std::unique_ptr<Latents> latents_;       // null where pictures go through the autoencoder in every step
  // Of the step, on the device, always in the same memory.
  Tensor pixels_;        // f32 [rows, C, H, W]: pictures, or moments of latents
  Condition condition_;  // rows of what the network is told
};

}  // namespace plumb::train
