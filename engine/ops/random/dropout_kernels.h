#pragma once

#include "engine/backend.h"
#include "engine/tensor.h"

namespace plumb {

/// y = drawn < p ? 0 : x * scale. x, y: floating, of one dtype; drawn: f32. All contiguous, of one shape; y may be
/// drawn.
void dropout_kernel(Cpu, const Tensor& x, const Tensor& drawn, double p, Tensor& y);

// The same on CUDA.
void dropout_kernel(Cuda cuda, const Tensor& x, const Tensor& drawn, double p, Tensor& y);

}  // namespace plumb
