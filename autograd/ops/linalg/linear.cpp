#include "engine/ops/linalg/linear.h"

#include "autograd/ops/linalg.h"
#include "autograd/record.h"
#include "engine/packed_cache.h"

namespace plumb {

Variable linear(const Variable& x, const Variable& weight, const Variable& bias) {
  const Needs needs = needs_of({x, weight, bias});
  const PackedCachePause pause(needs[1]);
  const Tensor none;
  return record("linear", linear(x.value(), weight.value(), bias.value()), {x, weight, bias},
                save(needs[1] ? x.value() : none, needs[0] ? weight.value() : none),
                [](const Saved& saved, const Tensor& grad, Needs wanted) {
                  return Grads(wanted[0] ? linear_backward_x(grad, saved[1]) : Tensor(),
                               wanted[1] ? linear_backward_weight(grad, saved[0]) : Tensor(),
                               wanted[2] ? linear_backward_bias(grad) : Tensor());
                });
}

}  // namespace plumb
