#pragma once

#include "engine/backend.h"
#include "engine/ops/copy/copy_kernels.h"
#include "engine/tensor.h"

namespace plumb {

/// Copies `part` to where it belongs in `out`: along dim, `start` elements from the beginning. One dtype; both
/// contiguous; numel of part > 0.
void cat_kernel(Cpu, const Tensor& part, int64_t dim, int64_t start, Tensor& out);

/// A strided copy into the part's place.
inline void cat_kernel(Cuda cuda, const Tensor& part, int64_t dim, int64_t start, Tensor& out) {
  Tensor place = out.view_as(part.shape(), out.strides(), out.offset() + start * out.strides()[dim]);
  copy_kernel(cuda, part, place);
}

}  // namespace plumb
