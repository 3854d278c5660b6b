#pragma once

#include <array>

#include "engine/random/fills.h"

namespace plumb::shapes {

/// Numbers drawn one after the other from a key: the n-th depends on the key and n alone.
class Draws {
 public:
  explicit Draws(const RandomKey& key) : key_(key) {}

  /// [0, 1).
  double uniform() {
    if (next_ == kBlock) refill();
    return numbers_[next_++];
  }
  double between(double low, double high) { return low + (high - low) * uniform(); }
  /// 0 … count - 1.
  int64_t below(int64_t count) { return int64_t(uniform() * double(count)); }
  bool chance(double probability) { return uniform() < probability; }
  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[size_t(below(int64_t(list.size())))];
  }

 private:
  static constexpr size_t kBlock = 16;
  void refill() {
    fill_uniform(key_.at_step(step_++), {1, int64_t(kBlock)}, numbers_.data());
    next_ = 0;
  }

  RandomKey key_;
  uint64_t step_ = 0;
  size_t next_ = kBlock;
  std::array<double, kBlock> numbers_ = {};
};

}  // namespace plumb::shapes
