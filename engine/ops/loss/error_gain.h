#pragma once

#include "engine/ops/loss/reduction.h"
#include "engine/tensor.h"

namespace plumb {

/// How much larger the error of each sample is than a reference's:
///   gain[n] = e(pred[n], target[n]) - e(ref[n], target[n]),   e the mean (or sum) of squares over all non-batch
///   elements
///           = mean (or sum) of  (pred - ref) ((pred - ref) + 2 (ref - target))
/// The second form is computed: near the reference the difference of two rounded errors would keep few digits; here 0
/// is exact at pred = ref.
/// pred, ref, target: floating, same shape [N, ...] and dtype · returns [N] in Acc<T> (f32; f64 for f64).
/// Differentiable in all three · Throws as sample_error does. One pass.
Tensor error_gain(const Tensor& pred, const Tensor& ref, const Tensor& target, Reduction reduction = Reduction::mean);

/// Gradients of pred, ref and target, like them; undefined where not asked for.
struct ErrorGainGrads {
  Tensor pred, ref, target;
};
struct ErrorGainNeeds {
  bool pred = true, ref = true, target = true;
};
/// Gradient of error_gain. grad: [N], f32 (f64 for f64). Each gradient needs two of the three operands only; the third
/// may be undefined then: pred needs pred and target, ref needs ref and target, target needs pred and ref.
ErrorGainGrads error_gain_backward(const Tensor& grad, const Tensor& pred, const Tensor& ref, const Tensor& target,
                                   Reduction reduction, ErrorGainNeeds needs);

}  // namespace plumb
