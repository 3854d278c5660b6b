#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

// Kernels behind embedding. Indices are contiguous i64 and inside the table; tensors are contiguous; numel > 0.

namespace plumb {

/// out[i, :] = weight[indices[i], :]
void embedding_kernel(Cpu, const Tensor& indices, const Tensor& weight, Tensor& out);
/// out[indices[i], :] += grad[i, :] in order of i. Floating, one dtype, f32 or f64.
void embedding_backward_kernel(Cpu, const Tensor& grad, const Tensor& indices, Tensor& out);

// The same on CUDA.
void embedding_kernel(Cuda cuda, const Tensor& indices, const Tensor& weight, Tensor& out);
void embedding_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& indices, Tensor& out);

}  // namespace plumb
