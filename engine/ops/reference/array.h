#pragma once

#include <vector>

#include "engine/tensor.h"

namespace plumb::reference {

// Plain versions of the kernels that are fast elsewhere: the definition, written out in loops over doubles, one
// operation after the other, without blocks, threads, vector instructions or memory layouts. Tests hold the fast
// kernels against them, and they are the place to read first. Arguments are right: the public op has checked them.

/// A dense array of doubles: what reference kernels read and write. a(i, j, …) is an element.
class Array {
 public:
  /// Zeros.
  explicit Array(const Shape& shape) : shape_(shape), values_(static_cast<size_t>(numel(shape))) {}
  /// The values of a tensor of any dtype and memory order.
  explicit Array(const Tensor& x) : shape_(x.shape()), values_(x.to_vector<double>()) {}

  const Shape& shape() const { return shape_; }
  int64_t size(int64_t dim) const { return shape_[dim < 0 ? shape_.rank() + dim : dim]; }

  /// As many indices as there are dimensions.
  template <class... I>
  double& operator()(I... index) {
    return values_[position({int64_t(index)...})];
  }
  template <class... I>
  double operator()(I... index) const {
    return values_[position({int64_t(index)...})];
  }

  /// The same values in another shape of as many elements.
  Array reshaped(const Shape& shape) const {
    Array other = *this;
    other.shape_ = shape;
    return other;
  }
  /// An f64 tensor.
  Tensor to_tensor() const { return from_vector<double>(values_, shape_); }

 private:
  size_t position(std::initializer_list<int64_t> index) const {
    int64_t at = 0, dim = 0;
    for (int64_t i : index) at = at * shape_[dim++] + i;
    return static_cast<size_t>(at);
  }

  Shape shape_;
  std::vector<double> values_;
};

}  // namespace plumb::reference
