#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/gemm.h"
#include "engine/tensor.h"

// Internal: the matrices of a batch of heads.

namespace plumb {

/// The [..., rows, columns] of one operand: where the matrix of a head starts, and how far its rows are apart.
template <class T>
class HeadMatrices {
 public:
  explicit HeadMatrices(const Tensor& x)
      : data_(x.data<T>()),
        shape_(x.shape()),
        strides_(x.strides()),
        ld_(std::max({x.strides().back(1), x.shape().back(), int64_t(1)})) {}

  const T* operator()(int64_t head) const {
    int64_t offset = 0;
    for (int64_t dim = shape_.rank() - 3; dim >= 0; --dim) {
      offset += head % shape_[dim] * strides_[dim];
      head /= shape_[dim];
    }
    return data_ + offset;
  }
  int64_t ld() const { return ld_; }
  /// Rows of a head from `row` on, as an operand of a product.
  MatrixView<T> rows(int64_t head, int64_t row, bool transposed = false) const {
    return {(*this)(head) + row * ld_, ld_, transposed};
  }

 private:
  const T* data_;
  Shape shape_;
  Strides strides_;
  int64_t ld_;
};

/// Sizes of an attention.
struct AttentionSizes {
  int64_t heads, queries, keys, depth, value_depth;

  AttentionSizes(const Tensor& q, const Tensor& k, const Tensor& v)
      : heads(1),
        queries(q.shape().back(1)),
        keys(k.shape().back(1)),
        depth(q.shape().back()),
        value_depth(v.shape().back()) {
    for (int64_t dim = 0; dim + 2 < q.rank(); ++dim) heads *= q.shape()[dim];
  }
};

}  // namespace plumb
