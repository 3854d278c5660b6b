#include "engine/ops/norm/layer_norm.h"

#include "autograd/ops/norm.h"
#include "autograd/record.h"

namespace plumb {

Variable layer_norm(const Variable& x, const Shape& normalized_shape, const Variable& weight, const Variable& bias,
                    double eps) {
  const LayerNormResult result = layer_norm(x.value(), normalized_shape, weight.value(), bias.value(), eps);
  const Needs needs = needs_of({x, weight, bias});
  const Tensor scale = needs[0] ? weight.value() : Tensor();
  return record("layer_norm", result.y, {x, weight, bias}, save(x.value(), result.mean, result.rstd, scale),
                [normalized_shape](const Saved& saved, const Tensor& grad, Needs wanted) {
                  LayerNormGrads grads =
                      layer_norm_backward(grad, saved[0], {{}, saved[1], saved[2]}, saved[3], normalized_shape,
                                          {.x = wanted[0], .weight = wanted[1], .bias = wanted[2]});
                  return Grads(std::move(grads.x), std::move(grads.weight), std::move(grads.bias));
                });
}

}  // namespace plumb
