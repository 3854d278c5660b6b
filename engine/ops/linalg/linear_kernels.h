#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

// Kernels behind linear. Tensors are f32 or f64, rank 2, and readable as BLAS matrices (matrix_layout); outputs are
// contiguous with numel > 0.

namespace plumb {

/// out[M, out] = x[M, in] weight[out, in]^T + bias[out] (contiguous, or undefined).
void linear_kernel(Cpu, const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& out);
/// out[N] = sum of the rows of grad[M, N], whose columns are one apart.
void column_sum_kernel(Cpu, const Tensor& grad, Tensor& out);

}  // namespace plumb
