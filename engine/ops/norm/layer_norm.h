#pragma once

#include "engine/tensor.h"

namespace plumb {

/// y, and the statistics its backward needs: mean and rstd = 1 / sqrt(var + eps), of x's shape without the normalised
/// dimensions, in Acc<T> (f32; f64 for f64).
struct LayerNormResult {
  Tensor y, mean, rstd;
};

/// Normalises each sample over its last dimensions, then scales and shifts.
///   y = (x - mean) / sqrt(var + eps) * weight + bias        [Ba, Kiros & Hinton 2016], var without Bessel's correction
/// x: floating [..., normalized_shape] · weight, bias: normalized_shape in x's dtype, or undefined.
/// Differentiable in x, weight, bias.
/// Throws ShapeError when x does not end in normalized_shape or weight or bias is not of it, DTypeError, DeviceError,
/// ValueError when eps < 0.
/// Two passes over each row in Acc<T>: stable for a mean far from zero.
LayerNormResult layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                           const Tensor& bias = {}, double eps = 1e-5);

/// Gradients of layer_norm, each like its input; undefined where not asked for.
struct LayerNormGrads {
  Tensor x, weight, bias;
};
/// Which gradients to compute.
struct LayerNormWanted {
  bool x = true, weight = false, bias = false;
};
/// grad: like y · x, mean, rstd: as given to and got from the forward · weight: as in the forward, or undefined.
LayerNormGrads layer_norm_backward(const Tensor& grad, const Tensor& x, const LayerNormResult& forward,
                                   const Tensor& weight, const Shape& normalized_shape, LayerNormWanted wanted);

}  // namespace plumb
