#include "apps/train/batch_source.h"

#include "engine/ops.h"
#include "engine/ops/random/random.h"

namespace plumb::train {

DenoisingBatch BatchSource::batch(int64_t step) const {
  const Device device = data_.points.device();
  const RandomKey key = key_.at_step(uint64_t(step));
  DenoisingBatch batch{.x0 = index_select(data_.points, 0, index_),
                       .noise = randn(key.fork("noise"), {batch_, data_.points.size(1)}, DType::f32, device),
                       .t = randint(key.fork("t"), 0, timesteps_, {batch_}, device),
                       .condition = {}};
  if (data_.labels.defined()) batch.condition.labels = index_select(data_.labels, 0, index_);
  return batch;
}

}  // namespace plumb::train
