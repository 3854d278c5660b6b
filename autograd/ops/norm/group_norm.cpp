#include "engine/ops/norm/group_norm.h"

#include "autograd/ops/norm.h"
#include "autograd/record.h"

namespace plumb {

Variable group_norm(const Variable& x, const Variable& weight, const Variable& bias, const GroupNormOptions& options) {
  const GroupNormResult result = group_norm(x.value(), weight.value(), bias.value(), options);
  const Tensor shift = options.silu ? bias.value() : Tensor();
  return record("group_norm", result.y, {x, weight, bias}, save(x.value(), result.statistics, weight.value(), shift),
                [options](const Saved& saved, const Tensor& grad, Needs wanted) {
                  GroupNormGrads grads = group_norm_backward(grad, {saved[0], saved[1], saved[2], saved[3]}, options,
                                                             {.x = wanted[0], .weight = wanted[1], .bias = wanted[2]});
                  return Grads(std::move(grads.x), std::move(grads.weight), std::move(grads.bias));
                });
}

}  // namespace plumb
