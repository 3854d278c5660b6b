#pragma once

#include "engine/backend.h"
#include "engine/ops/norm/layer_norm.h"
#include "engine/tensor.h"

// x, y, grad: contiguous, rows of `width` elements; mean, rstd: one a row in Acc<T>; width > 0, rows > 0.

namespace plumb {

/// Fills y, mean and rstd. weight and bias may be undefined.
void layer_norm_kernel(Cpu, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps,
                       LayerNormResult& out);
/// Fills the defined ones of grads.
void layer_norm_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, const LayerNormResult& forward,
                                const Tensor& weight, LayerNormGrads& grads);

// The same on CUDA.
void layer_norm_kernel(Cuda cuda, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps,
                       LayerNormResult& out);
void layer_norm_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, const LayerNormResult& forward,
                                const Tensor& weight, LayerNormGrads& grads);

}  // namespace plumb
