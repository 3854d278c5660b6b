#include "apps/common/epoch_order.h"

#include "engine/ops.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb {

EpochOrder::EpochOrder(int64_t count, int64_t batch, const RandomKey& key) : count_(count), batch_(batch), key_(key) {
  require<ValueError>(count >= 1 && batch >= 1, "epoch order: rows and batch must be positive ({} and {})", count,
                      batch);
}

Tensor EpochOrder::at(int64_t step) {
  Tensor index = empty({batch_}, DType::i64);
  for (int64_t i = 0; i < batch_; ++i) {
    const int64_t position = step * batch_ + i;
    if (position / count_ != epoch_) {
      epoch_ = position / count_;
      order_ = permutation(key_.fork("order").at_step(uint64_t(epoch_)), count_);
    }
    index.mutable_data<int64_t>()[i] = order_[size_t(position % count_)];
  }
  return index;
}

}  // namespace plumb
