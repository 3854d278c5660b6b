#pragma once

#include "apps/common/epoch_order.h"
#include "apps/train/data.h"
#include "diffusion/denoising_loss.h"

namespace plumb::train {

/// The batch of one step: data, timesteps and noise; a pure function of seed and step. `data` must outlive it.
class BatchSource {
 public:
  BatchSource(const PointData& data, int64_t batch, int64_t timesteps, const RandomKey& key)
      : data_(data), batch_(batch), timesteps_(timesteps), key_(key), order_(data.points.size(0), batch, key) {
    index_ = zeros({batch}, DType::i64, data.points.device());
  }

  DenoisingBatch at(int64_t step) {
    go_to(step);
    return batch(step);
  }
  /// Writes the rows of a step, which the host decides, to where batch() reads them.
  void go_to(int64_t step) { index_.copy_(order_.at(step)); }
  /// The batch of those rows, gathered and drawn (at `step`) on the data's device without the host.
  DenoisingBatch batch(int64_t step) const;

 private:
  const PointData& data_;
  int64_t batch_, timesteps_;
  RandomKey key_;
  EpochOrder order_;
  Tensor index_;  // i64 [batch], on the data's device
};

}  // namespace plumb::train
