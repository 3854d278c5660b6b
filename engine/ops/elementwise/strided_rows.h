#pragma once

#include "engine/dtype.h"
#include "engine/loops.h"
#include "engine/tensor.h"

// Brings operands of any dtype and any strides to the row functions, which know one compute type and contiguous
// elements. Where the operands already are that, rows are passed straight through; otherwise blocks of kBlock elements
// are gathered into buffers, computed, and scattered.

namespace plumb {

/// The type elements of a dtype are computed in by the elementwise ops.
template <class T>
using RowType = std::conditional_t<std::is_floating_point_v<Compute<T>>, Compute<T>, int64_t>;

/// One operand: where it starts, its element type, and strides that make it look like the output.
struct RowOperand {
  const void* data;
  DType dtype;
  Strides strides;
};

inline RowOperand row_operand(const Tensor& x, const Shape& shape) {
  return {x.raw_data(), x.dtype(), x.shape() == shape ? x.strides() : broadcast_strides(x, shape)};
}

/// Computes `count` elements. steps[i] is 0 (one element, read count times) or 1; 0 only when the caller allowed it.
template <class C>
struct RowCall {
  void (*call)(const void* context, const C* const* inputs, const int64_t* steps, C* out, int64_t count);
  const void* context;
  bool takes_scalars;
};

/// out = row(inputs…) over out's shape; C is float, double or int64_t. At most three inputs.
template <class C, int N>
void run_rows(const RowCall<C>& row, const std::array<RowOperand, N>& inputs, Tensor& out);

}  // namespace plumb
