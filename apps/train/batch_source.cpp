#include "apps/train/batch_source.h"

#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/random/fills.h"

namespace plumb::train {

DenoisingBatch BatchSource::at(int64_t step) {
  const int64_t count = data_.points.size(0);
  Tensor index = empty({batch_}, DType::i64);
  for (int64_t i = 0; i < batch_; ++i) {
    const int64_t position = step * batch_ + i;
    if (position / count != epoch_) {
      epoch_ = position / count;
      order_ = permutation(key_.fork("order").at_step(uint64_t(epoch_)), count);
    }
    index.mutable_data<int64_t>()[i] = order_[size_t(position % count)];
  }
  const RandomKey key = key_.at_step(uint64_t(step));
  DenoisingBatch batch{.x0 = index_select(data_.points, 0, index),
                       .noise = randn(key.fork("noise"), {batch_, data_.points.size(1)}),
                       .t = randint(key.fork("t"), 0, timesteps_, {batch_}),
                       .condition = {}};
  if (data_.labels.defined()) batch.condition.labels = index_select(data_.labels, 0, index);
  return batch;
}

}  // namespace plumb::train
