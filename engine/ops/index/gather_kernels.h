#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

// Kernels behind gather and scatter_add. The index is i64 and inside x along dim; ranks are equal and at least 1;
// numel of index > 0; any strides.

namespace plumb {

void gather_kernel(Cpu, const Tensor& x, int64_t dim, const Tensor& index, Tensor& out);
/// target += src at index. One dtype, none of 16 bits. src is cut to index's shape.
void scatter_add_kernel(Cpu, const Tensor& src, int64_t dim, const Tensor& index, Tensor& target);

// The same on CUDA.
void gather_kernel(Cuda cuda, const Tensor& x, int64_t dim, const Tensor& index, Tensor& out);
void scatter_add_kernel(Cuda cuda, const Tensor& src, int64_t dim, const Tensor& index, Tensor& target);

}  // namespace plumb
