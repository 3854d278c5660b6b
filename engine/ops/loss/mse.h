#pragma once

#include "engine/ops/loss/reduction.h"
#include "engine/tensor.h"

namespace plumb {

/// Squared error: mean or sum of (pred - target)^2 over all elements, or the squares themselves (none).
/// pred, target: floating, same shape and dtype · returns a 0-d tensor in Acc<T> (f32; f64 for f64), or for `none` the
/// shape and dtype of pred. Differentiable in both. The mean of nothing is NaN.
/// Throws ShapeError, DTypeError, DeviceError when the operands differ.
/// One pass; a loss in 16 bits would lose small changes, hence the result type.
Tensor mse(const Tensor& pred, const Tensor& target, Reduction reduction = Reduction::mean);

/// Gradients of pred and target, like them; undefined where not asked for.
struct PairGrads {
  Tensor pred, target;
};
/// Gradient of mse. grad: the shape and dtype of its result.
PairGrads mse_backward(const Tensor& grad, const Tensor& pred, const Tensor& target, Reduction reduction,
                       bool needs_pred, bool needs_target);

}  // namespace plumb
