#pragma once

#include <cstdint>
#include <vector>

#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

/// Which rows of a data set each step sees: all of them in a fresh order every epoch, batches running on from one epoch
/// into the next. A pure function of key and step, so that a resumed run sees what it would have seen.
class EpochOrder {
 public:
  /// Throws ValueError unless count and batch are positive.
  EpochOrder(int64_t count, int64_t batch, const RandomKey& key);

  int64_t count() const { return count_; }
  /// Rows of step `step` (0-based), i64 [batch].
  Tensor at(int64_t step);

 private:
  int64_t count_, batch_;
  RandomKey key_;
  int64_t epoch_ = -1;
  std::vector<int64_t> order_;  // of epoch_
};

}  // namespace plumb
