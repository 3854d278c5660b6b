#pragma once

#include "engine/ops/norm/group_norm.h"
#include "engine/ops/norm/layer_norm.h"
#include "engine/ops/norm/rms_norm.h"

// Group, layer and RMS norm by their formulas (engine/ops/reference/array.h). All three divide blocks of numbers by
// what the block says of itself; they differ in what a block is and in whether the mean is taken out first. Floating
// dtypes in, f64 out; arguments and shapes as in the ops of the same names, gradients all computed.

namespace plumb::reference {

GroupNormResult group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& options);
GroupNormGrads group_norm_backward(const Tensor& grad, const Tensor& x, const Tensor& weight, const Tensor& bias,
                                   const GroupNormOptions& options);

LayerNormResult layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                           double eps);
LayerNormGrads layer_norm_backward(const Tensor& grad, const Tensor& x, const Shape& normalized_shape,
                                   const Tensor& weight, double eps);

RmsNormResult rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, double eps);
RmsNormGrads rms_norm_backward(const Tensor& grad, const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                               double eps);

}  // namespace plumb::reference
