#pragma once

#include "align/objective.h"

namespace plumb {

/// What every pairwise objective with a reference starts from.
struct LogRatio {
  Tensor error;      ///< e(pred, target), [2B]; for the logs
  Tensor ref_error;  ///< e(ref, target), [2B]; for the logs
  Tensor gain;       ///< e(pred, target) - e(ref, target), [2B], by error_gain; for the logs
  Variable logit;    ///< z = -(beta/2) ((ew - el) - (rw - rl)), times the input's logit_scale, [B]
};

/// Errors and logit of a batch of pairs, winners first. Computed in f32 (f64 for f64 input); the logit from each
/// sample's error_gain over the reference, so that it keeps its digits while the student is still near. Of ref_error
/// alone the gain is a difference of two errors: good to their last digit, some 1e-7 of the error.
/// Throws ShapeError and DTypeError for a ref_error that is not one an error.
LogRatio log_ratio(const ObjectiveInput& input, double beta, Reduction reduction);

/// `logit` times the input's logit_scale, itself where there is none. Throws ShapeError unless they have one shape,
/// DTypeError unless the scale is floating.
Variable scaled_logit(const Variable& logit, const ObjectiveInput& input);

/// 1 - sigmoid(z), the probability of the wrong order, as exp(-softplus(z)): value and gradient keep their digits in
/// both tails, where 1 - 1 would keep none.
Variable wrong_probability(const Variable& logit);

/// Share of positive logits, as a tensor [].
Tensor implicit_accuracy(const Tensor& logit);

/// What a pairwise objective returns: its loss beside logit, accuracy and errors of the ratio, detached.
ObjectiveOutput pairwise_output(const Variable& loss, const LogRatio& ratio);

}  // namespace plumb
