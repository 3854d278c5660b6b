#pragma once

#include "engine/ops/loss/mse.h"

namespace plumb {

/// Error of each sample: e[n] = mean (or sum) over all non-batch elements of (pred[n] - target[n])^2. The quantity that
/// every alignment objective is built from.
/// pred, target: floating, same shape [N, ...] and dtype · returns [N] in Acc<T> (f32; f64 for f64).
/// Differentiable in both · Throws as mse does, ShapeError for 0-d input, ValueError for Reduction::none.
Tensor sample_error(const Tensor& pred, const Tensor& target, Reduction reduction = Reduction::mean);

/// Gradient of sample_error. grad: [N], f32 (f64 for f64).
PairGrads sample_error_backward(const Tensor& grad, const Tensor& pred, const Tensor& target, Reduction reduction,
                                bool needs_pred, bool needs_target);

}  // namespace plumb
