#include "engine/ops/norm/rms_norm.h"

#include "autograd/ops/norm.h"
#include "autograd/record.h"

namespace plumb {

Variable rms_norm(const Variable& x, const Shape& normalized_shape, const Variable& weight, std::optional<double> eps) {
  const RmsNormResult result = rms_norm(x.value(), normalized_shape, weight.value(), eps);
  const Needs needs = needs_of({x, weight});
  const Tensor scale = needs[0] ? weight.value() : Tensor();
  return record("rms_norm", result.y, {x, weight}, save(x.value(), result.rstd, scale),
                [normalized_shape](const Saved& saved, const Tensor& grad, Needs wanted) {
                  RmsNormGrads grads = rms_norm_backward(grad, saved[0], {{}, saved[1]}, saved[2], normalized_shape,
                                                         {.x = wanted[0], .weight = wanted[1]});
                  return Grads(std::move(grads.x), std::move(grads.weight));
                });
}

}  // namespace plumb
