#pragma once

#include "apps/train/pictures/row_cache.h"
#include "diffusion/pipeline/pipeline.h"
#include "nn/data/picture_loader.h"

namespace plumb::train {

struct LatentsOptions {
  PictureTransform transform = {};  ///< its crop must be the middle
  int64_t workers = 2;
  std::string folder = {};  ///< of the caches
  Device device = kCpu;     ///< where the autoencoder is
  bool quiet = false;
};

/// What the autoencoder says of every picture of a data set, as it is and mirrored; made once, kept in files. For
/// transforms whose crop is the same every time.
class Latents {
 public:
  /// `data` must outlive it.
  Latents(const LatentsOptions& options, const PictureDataset& data, Pipeline& pipeline);

  /// Moments f32 [N, 2 C, h, w] on the CPU; which rows are mirrored is drawn as choose_crop does, with `key`.
  Tensor moments(const std::vector<int64_t>& samples, const RandomKey& key) const;
  /// Sizes and crops of samples, as PictureBatch has them.
  std::vector<PictureOrigin> origins(const std::vector<int64_t>& samples) const;

 private:
  std::vector<int64_t> rows_of(const std::vector<int64_t>& samples, const RandomKey& key) const;

  PictureTransform transform_;
  std::unique_ptr<RowCache> cache_;
};

/// Moments of pictures f32 [N, C, H, W], in f32.
Tensor moments_of(AutoencoderKL& vae, const Tensor& pixels);

}  // namespace plumb::train
