#pragma once

#include "engine/ops/loss/reduction.h"
#include "engine/tensor.h"

namespace plumb {

/// What a preference loss with a reference starts from, in one op: a small model's step is many launches long, and as
/// separate ops this was five of them forward and seven backward on CUDA; it is one each way.
struct PairLogit {
  Tensor logit;      ///< [B]
  Tensor gain;       ///< error_gain of each sample, [2B]
  Tensor error;      ///< sample_error(pred, target), [2B]
  Tensor ref_error;  ///< sample_error(ref, target), [2B]
};

/// Rows [0, B) are winners w, rows [B, 2B) their losers l:
///   logit[i] = -(beta / 2) (gain[w] - gain[l]),   gain[n] = e(pred[n], target[n]) - e(ref[n], target[n])
/// pred, ref, target: floating, same shape [2B, ...] and dtype · returns f32 (f64 for f64).
/// The logit is differentiable in pred. Throws as error_gain does, ShapeError for an odd number of rows.
/// CPU: the bits of error_gain, sample_error and the arithmetic above as ops.
PairLogit pair_logit(const Tensor& pred, const Tensor& ref, const Tensor& target, double beta, Reduction reduction);

/// Gradient of pred, like it. grad: of the logit, [B].
Tensor pair_logit_backward(const Tensor& grad, const Tensor& pred, const Tensor& target, double beta,
                           Reduction reduction);

}  // namespace plumb
