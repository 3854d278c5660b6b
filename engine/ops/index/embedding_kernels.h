#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

// Kernels behind embedding. Indices are contiguous i64 and inside the table; tensors are contiguous; numel > 0.

namespace plumb {

/// out[i, :] = weight[indices[i], :]
void embedding_kernel(Cpu, const Tensor& indices, const Tensor& weight, Tensor& out);
/// out[indices[i], :] += grad[i, :] in order of i. Floating, one dtype, f32 or f64.
void embedding_backward_kernel(Cpu, const Tensor& grad, const Tensor& indices, Tensor& out);

// Not on CUDA yet.
void embedding_kernel(Cuda cuda, const auto&...) { cpu_only("embedding", cuda); }
void embedding_backward_kernel(Cuda cuda, const auto&...) { cpu_only("embedding", cuda); }

}  // namespace plumb
