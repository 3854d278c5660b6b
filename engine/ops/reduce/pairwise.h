#pragma once

#include <cstdint>

#include "engine/simd.h"

// Internal: sums as balanced binary trees, so that the rounding error grows with the logarithm of the length. The tree
// depends on the number of items alone.

namespace plumb::PLUMB_ISA {
namespace {

/// More levels than any count of items needs.
inline constexpr int kPairwiseLevels = 40;

/// Combines items in the order they are pushed: items 0 and 1, 2 and 3, then those pairs, and so on (a binary counter).
template <class State, class Combine>
class Pairwise {
 public:
  explicit Pairwise(Combine combine) : combine_(combine) {}

  void push(State state) {
    for (int64_t bits = pushed_++; bits & 1; bits >>= 1) state = combine_(levels_[--depth_], state);
    levels_[depth_++] = state;
  }

  /// State{} when nothing was pushed.
  State finish() {
    if (depth_ == 0) return State{};
    State state = levels_[--depth_];
    while (depth_ > 0) state = combine_(levels_[--depth_], state);
    return state;
  }

 private:
  Combine combine_;
  State levels_[kPairwiseLevels];
  int64_t pushed_ = 0;
  int depth_ = 0;
};

/// The same tree for rows of `width` items, combined element by element. `slots` holds kPairwiseLevels rows of `stride`
/// items and needs no initial value.
template <class State, class Combine>
class PairwiseRows {
 public:
  PairwiseRows(Combine combine, State* slots, int64_t stride, int64_t width)
      : combine_(combine), slots_(slots), stride_(stride), width_(width) {}

  /// Where to write the next item before push().
  State* next() { return slots_ + depth_ * stride_; }

  void push() {
    for (int64_t bits = pushed_++; bits & 1; bits >>= 1) merge_top();
    ++depth_;
  }

  /// At least one item was pushed. Valid until the slots are reused.
  const State* finish() {
    --depth_;
    while (depth_ > 0) merge_top();
    return slots_;
  }

 private:
  /// Merges slot `depth_` into the one below it.
  void merge_top() {
    const State* later = slots_ + depth_ * stride_;
    State* earlier = slots_ + --depth_ * stride_;
    for (int64_t i = 0; i < width_; ++i) earlier[i] = combine_(earlier[i], later[i]);
  }

  Combine combine_;
  State* slots_;
  int64_t stride_, width_;
  int64_t pushed_ = 0;
  int64_t depth_ = 0;
};

}  // namespace
}  // namespace plumb::PLUMB_ISA
