#include "engine/ops/loss/mse.h"

#include "autograd/ops/loss.h"
#include "autograd/record.h"

namespace plumb {

Variable mse(const Variable& pred, const Variable& target, Reduction reduction) {
  return record("mse", mse(pred.value(), target.value(), reduction), {pred, target}, save(pred.value(), target.value()),
                [reduction](const Saved& saved, const Tensor& grad, Needs needs) {
                  PairGrads grads = mse_backward(grad, saved[0], saved[1], reduction, needs[0], needs[1]);
                  return Grads(std::move(grads.pred), std::move(grads.target));
                });
}

}  // namespace plumb
