#pragma once

#include "autograd/variable.h"
#include "engine/ops/loss/pair_logit.h"

namespace plumb {

/// PairLogit with a logit that has a gradient for pred; the rest is detached. For the objectives, not among the ops of
/// autograd/ops.h.
struct PairLogitVariable {
  Variable logit;
  Tensor gain, error, ref_error;
};
PairLogitVariable pair_logit(const Variable& pred, const Tensor& ref, const Tensor& target, double beta,
                             Reduction reduction = Reduction::mean);

}  // namespace plumb
