#pragma once

#include <optional>

#include "engine/tensor.h"

namespace plumb {

/// y, and what its backward needs: rstd = 1 / sqrt(mean(x^2) + eps), of x's shape without the normalised dimensions, in
/// Acc<T> (f32; f64 for f64).
struct RmsNormResult {
  Tensor y, rstd;
};

/// Divides each sample by the root of its mean square over its last dimensions, then scales.
///   y = x / sqrt(mean(x^2) + eps) * weight        [Zhang & Sennrich 2019]
/// x: floating [..., normalized_shape] · weight: normalized_shape in x's dtype, or undefined · eps: unless set, the
/// machine epsilon of Acc<T>, as in torch. Differentiable in x, weight.
/// Throws ShapeError when x does not end in normalized_shape or weight is not of it, DTypeError, DeviceError,
/// ValueError when eps < 0.
RmsNormResult rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                       std::optional<double> eps = {});

/// Gradients of rms_norm, each like its input; undefined where not asked for.
struct RmsNormGrads {
  Tensor x, weight;
};
/// Which gradients to compute.
struct RmsNormWanted {
  bool x = true, weight = false;
};
/// grad: like y · x, rstd: as given to and got from the forward · weight: as in the forward, or undefined.
RmsNormGrads rms_norm_backward(const Tensor& grad, const Tensor& x, const RmsNormResult& forward, const Tensor& weight,
                               const Shape& normalized_shape, RmsNormWanted wanted);

}  // namespace plumb
