#include "engine/ops/loss/error_gain.h"

#include "autograd/ops/loss.h"
#include "autograd/record.h"

namespace plumb {

Variable error_gain(const Variable& pred, const Variable& ref, const Variable& target, Reduction reduction) {
  const Needs needs = needs_of({pred, ref, target});
  auto kept = [](const Variable& x, bool needed) { return needed ? x.value() : Tensor(); };
  return record(
      "error_gain", error_gain(pred.value(), ref.value(), target.value(), reduction), {pred, ref, target},
      save(kept(pred, needs[0] || needs[2]), kept(ref, needs[1] || needs[2]), kept(target, needs[0] || needs[1])),
      [reduction](const Saved& saved, const Tensor& grad, Needs wanted) {
        ErrorGainGrads grads =
            error_gain_backward(grad, saved[0], saved[1], saved[2], reduction, {wanted[0], wanted[1], wanted[2]});
        return Grads(std::move(grads.pred), std::move(grads.ref), std::move(grads.target));
      });
}

}  // namespace plumb
