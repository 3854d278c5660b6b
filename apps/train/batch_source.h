#pragma once

#include "apps/common/epoch_order.h"
#include "apps/train/data.h"
#include "diffusion/denoising_loss.h"

namespace plumb::train {

/// The batch of one step: data, timesteps and noise; a pure function of seed and step. `data` must outlive it.
class BatchSource {
 public:
  BatchSource(const PointData& data, int64_t batch, int64_t timesteps, const RandomKey& key)
      : data_(data), batch_(batch), timesteps_(timesteps), key_(key), order_(data.points.size(0), batch, key) {}

  DenoisingBatch at(int64_t step);

 private:
  const PointData& data_;
  int64_t batch_, timesteps_;
  RandomKey key_;
  EpochOrder order_;
};

}  // namespace plumb::train
