#include "align/log_ratio.h"

#include "autograd/ops.h"
#include "engine/ops.h"

namespace plumb {

LogRatio log_ratio(const ObjectiveInput& input, double beta, Reduction reduction) {
  const Variable error = sample_error(input.pred, input.target, reduction);
  const Tensor ref_error = sample_error(input.ref, input.target, reduction);
  const int64_t pairs = error.size(0) / 2;
  const Variable gain = error - ref_error;  // how much worse than the reference, [2B]
  const Variable margin = slice(gain, 0, 0, pairs) - slice(gain, 0, pairs, 2 * pairs);
  return {error, ref_error, margin * (-beta / 2)};
}

Tensor implicit_accuracy(const Tensor& logit) { return mean(gt(logit, 0.0).to(logit.dtype())); }

}  // namespace plumb
