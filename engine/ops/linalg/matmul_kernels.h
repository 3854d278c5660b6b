#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

// Kernels behind matmul. Operands have one dtype, at least rank 2, and each matrix has a dense dimension: columns one
// apart, or rows one apart (see has_dense_dimension). numel of out > 0.

namespace plumb {

/// How the last two dimensions of a tensor read as a BLAS matrix.
struct MatrixLayout {
  int64_t ld = 1;
  bool transposed = false;
  bool valid = false;  // neither dimension is dense
};
MatrixLayout matrix_layout(const Tensor& x);

/// out[batch, M, N] = a[batch, M, K] b[batch, K, N]. The batch dimensions of a and b broadcast to those of out, which
/// is contiguous. Floating: f32 and f64. Integers: any.
void matmul_kernel(Cpu, const Tensor& a, const Tensor& b, Tensor& out);

// The same on CUDA: any floating type, with out of it or, of 16-bit operands, f32; no integers.
void matmul_kernel(Cuda cuda, const Tensor& a, const Tensor& b, Tensor& out);

}  // namespace plumb
