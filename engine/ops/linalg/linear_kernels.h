#pragma once

#include "engine/backend.h"
#include "engine/fused_activation.h"
#include "engine/tensor.h"

// Kernels behind linear. Tensors are of one type, f32 or f64 (on CUDA any floating one), rank 2, and readable as BLAS
// matrices (matrix_layout); outputs are contiguous with numel > 0.

namespace plumb {

struct LinearOperands {
  const Tensor& x;       // [M, in]
  const Tensor& weight;  // [out, in]
  const Tensor& bias;    // [out], contiguous; or undefined
};
struct LinearEpilogue {
  FusedActivation activation = FusedActivation::none;
  Tensor* derivative = nullptr;  // its derivative, like out; or null
};
/// out[M, out] = activation(x weight^T + bias).
void linear_kernel(Cpu, const LinearOperands& in, const LinearEpilogue& epilogue, Tensor& out);
/// out[N] = sum of the rows of grad[M, N], whose columns are one apart.
void column_sum_kernel(Cpu, const Tensor& grad, Tensor& out);

/// out = grad * factor, all [M, N] and contiguous; sum[N] = the sum of out's rows. out may be grad.
void scale_and_column_sum_kernel(Cpu, const Tensor& grad, const Tensor& factor, Tensor& out, Tensor& sum);

// The same on CUDA.
void linear_kernel(Cuda cuda, const LinearOperands& in, const LinearEpilogue& epilogue, Tensor& out);
void column_sum_kernel(Cuda cuda, const Tensor& grad, Tensor& out);
void scale_and_column_sum_kernel(Cuda cuda, const Tensor& grad, const Tensor& factor, Tensor& out, Tensor& sum);

}  // namespace plumb
