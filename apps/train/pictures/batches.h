#pragma once

#include "apps/common/epoch_order.h"
#include "nn/data/picture_loader.h"

namespace plumb::train {

/// The pictures of each step: all batches of its accumulation behind one another. Which ones, and how they are cropped,
/// is a pure function of seed and step; the pixels are read and resized ahead of it.
class PictureBatches {
 public:
  /// `rows`: pictures a step. `dataset` must outlive it.
  PictureBatches(const PictureDataset& dataset, const PictureTransform& transform, int64_t rows, const RandomKey& key,
                 const PictureLoaderOptions& options)
      : dataset_(dataset),
        key_(key),
        order_(int64_t(dataset.epoch.size()), rows, key),
        loader_(
            dataset, transform, [this](int64_t step) { return plan(step); }, options) {}

  PictureBatches(const PictureBatches&) = delete;  // the loader asks this one what comes next
  PictureBatches& operator=(const PictureBatches&) = delete;

  /// With pixels.
  PictureBatch at(int64_t step) { return loader_.at(step); }
  /// Their numbers in the data set alone.
  std::vector<int64_t> samples(int64_t step) {
    std::vector<int64_t> samples = order_.at(step).to_vector<int64_t>();
    for (int64_t& sample : samples) sample = dataset_.epoch[size_t(sample)];
    return samples;
  }

  /// Of a step's first picture: where crops and flips are drawn.
  RandomKey crop_key(int64_t step) const { return key_.fork("crop").at_step(uint64_t(step)); }

 private:
  PictureLoader::Plan plan(int64_t step) { return {samples(step), crop_key(step)}; }

  const PictureDataset& dataset_;
  RandomKey key_;
  EpochOrder order_;
  PictureLoader loader_;
};

}  // namespace plumb::train
