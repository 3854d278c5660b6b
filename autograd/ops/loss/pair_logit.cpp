#include "autograd/ops/pair_logit.h"

#include "autograd/record.h"

namespace plumb {

PairLogitVariable pair_logit(const Variable& pred, const Tensor& ref, const Tensor& target, double beta,
                             Reduction reduction) {
  PairLogit made = pair_logit(pred.value(), ref, target, beta, reduction);
  const Tensor none;
  const bool needed = needs_of({pred})[0];
  Variable logit =
      record("pair_logit", std::move(made.logit), {pred}, save(needed ? pred.value() : none, needed ? target : none),
             [beta, reduction](const Saved& saved, const Tensor& grad, Needs) {
               return Grads(pair_logit_backward(grad, saved[0], saved[1], beta, reduction));
             });
  return {std::move(logit), std::move(made.gain), std::move(made.error), std::move(made.ref_error)};
}

}  // namespace plumb
