#pragma once

#include "engine/tensor.h"

namespace plumb {

struct GroupNormOptions {
  int64_t groups = 1;
  double eps = 1e-5;
  bool silu = false;  ///< y = silu of what group norm alone gives, in the same pass
};

/// y, and the statistics its backward needs: means, then rstd = 1 / sqrt(var + eps), [2, N, groups] in Acc<T>.
struct GroupNormResult {
  Tensor y, statistics;
};

/// Normalises each group of C / groups neighbouring channels of each picture over its channels and pixels, then scales
/// and shifts every channel.                                                                     [Wu & He 2018]
///   y = (x - mean) / sqrt(var + eps) * weight + bias,   var without Bessel's correction
/// x: floating [N, C, ...] · weight, bias: [C] in x's dtype, or undefined · y: like x, in its memory order.
/// Differentiable in x, weight, bias. Two passes in Acc<T>: stable for a mean far from zero.
/// Throws ShapeError when x has no channels or C is no multiple of groups or a parameter is not [C], ValueError for
/// groups < 1 or eps < 0, DTypeError, DeviceError.
GroupNormResult group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& options);

/// Gradients of group_norm, each like its input; undefined where not asked for.
struct GroupNormGrads {
  Tensor x, weight, bias;
};
/// What the backward reads of the forward: its inputs (bias for the SiLU or y only) and its statistics.
struct GroupNormSaved {
  Tensor x, statistics, weight, bias;
};
/// y again, with the same bits, from what was kept of the forward, all of it: for nodes that keep x and not y.
Tensor group_norm_again(const GroupNormSaved& saved, const GroupNormOptions& options);

/// Which gradients to compute.
struct GroupNormWanted {
  bool x = true, weight = false, bias = false;
};
/// grad: like y.
GroupNormGrads group_norm_backward(const Tensor& grad, const GroupNormSaved& saved, const GroupNormOptions& options,
                                   GroupNormWanted wanted);

}  // namespace plumb
