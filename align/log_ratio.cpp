#include "align/log_ratio.h"

#include <utility>

#include "autograd/ops.h"
#include "autograd/ops/pair_logit.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {

namespace {

LogRatio of_reference_errors(const ObjectiveInput& input, double beta, Reduction reduction) {
  const Variable error = sample_error(input.pred, Variable(input.target), reduction);
  require<ShapeError>(input.ref_error.shape() == error.shape(),
                      "objective: ref_error must be [2B]; ref_error {}, pred {}", input.ref_error, input.pred.value());
  require<DTypeError>(input.ref_error.dtype() == error.dtype(), "objective: ref_error must be {}; ref_error {}",
                      name_of(error.dtype()), input.ref_error);
  const Variable gain = error - Variable(input.ref_error);
  const int64_t pairs = gain.size(0) / 2;
  const Variable logit = (slice(gain, 0, 0, pairs) - slice(gain, 0, pairs, 2 * pairs)) * (-beta / 2);
  return {error.value(), input.ref_error, gain.value(), scaled_logit(logit, input)};
}

}  // namespace

LogRatio log_ratio(const ObjectiveInput& input, double beta, Reduction reduction) {
  if (input.ref_error.defined()) return of_reference_errors(input, beta, reduction);
  PairLogitVariable made = pair_logit(input.pred, input.ref, input.target, beta, reduction);
  return {std::move(made.error), std::move(made.ref_error), std::move(made.gain), scaled_logit(made.logit, input)};
}

Variable scaled_logit(const Variable& logit, const ObjectiveInput& input) {
  const Tensor& scale = input.logit_scale;
  if (!scale.defined()) return logit;
  require<ShapeError>(scale.shape() == logit.shape(), "objective: logit_scale must be one a logit; scale {}, logit {}",
                      scale, logit.value());
  require<DTypeError>(is_floating(scale.dtype()), "objective: logit_scale must be floating; scale {}", scale);
  return logit * Variable(scale.to(logit.dtype()));
}

Variable wrong_probability(const Variable& logit) { return exp(-softplus(logit)); }

Tensor implicit_accuracy(const Tensor& logit) { return mean(gt(logit, 0.0).to(logit.dtype())); }

ObjectiveOutput pairwise_output(const Variable& loss, const LogRatio& ratio) {
  return {.loss = loss,
          .logit = ratio.logit.value(),
          .implicit_accuracy = implicit_accuracy(ratio.logit.value()),
          .error = ratio.error,
          .ref_error = ratio.ref_error,
          .gain = ratio.gain};
}

}  // namespace plumb
