#pragma once

#include <vector>

#include "apps/train/data.h"
#include "diffusion/denoising_loss.h"
#include "engine/random/random_key.h"

namespace plumb::train {

/// The batch of one step: the data in a fresh order every epoch, timesteps and noise; a pure function of seed and step,
/// so that a resumed run sees what it would have seen. `data` must outlive it.
class BatchSource {
 public:
  BatchSource(const PointData& data, int64_t batch, int64_t timesteps, const RandomKey& key)
      : data_(data), batch_(batch), timesteps_(timesteps), key_(key) {}

  DenoisingBatch at(int64_t step);

 private:
  const PointData& data_;
  int64_t batch_, timesteps_;
  RandomKey key_;
  int64_t epoch_ = -1;
  std::vector<int64_t> order_;  // of epoch_
};

}  // namespace plumb::train
