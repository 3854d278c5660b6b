#pragma once

#include "engine/backend.h"
#include "engine/ops/norm/rms_norm.h"
#include "engine/tensor.h"

// x, y, grad: contiguous, rows of `width` elements; rstd: one a row in Acc<T>; width > 0, rows > 0.

namespace plumb {

/// Fills y and rstd. weight may be undefined.
void rms_norm_kernel(Cpu, const Tensor& x, const Tensor& weight, double eps, RmsNormResult& out);
/// Fills the defined ones of grads.
void rms_norm_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, const Tensor& rstd, const Tensor& weight,
                              RmsNormGrads& grads);

// The same on CUDA.
void rms_norm_kernel(Cuda cuda, const Tensor& x, const Tensor& weight, double eps, RmsNormResult& out);
void rms_norm_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, const Tensor& rstd, const Tensor& weight,
                              RmsNormGrads& grads);

}  // namespace plumb
