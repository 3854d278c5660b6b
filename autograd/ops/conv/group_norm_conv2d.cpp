#include <array>
#include <vector>

#include "autograd/ops/conv.h"
#include "autograd/record.h"

namespace plumb {
namespace {

enum Input { kX, kNormWeight, kNormBias, kWeight, kBias };

struct Backward {
  GroupNormOptions norm;
  Conv2dOptions conv;
  std::array<int64_t, 4> weight_shape;

  Grads operator()(const Saved& saved, const Tensor& grad, Needs wanted) const {
    const Tensor &x = saved[0], &scale = saved[2], &shift = saved[3];
    std::vector<Tensor> grads(5);
    if (wanted[kWeight]) {
      const Tensor between = group_norm_again({x, saved[1], scale, shift}, norm);
      grads[kWeight] = conv2d_backward_weight(grad, between, Shape(weight_shape.data(), 4), conv);
    }
    if (wanted[kBias]) grads[kBias] = conv2d_backward_bias(grad);
    if (wanted[kX] || wanted[kNormWeight] || wanted[kNormBias]) {
      const Tensor inner = conv2d_backward_x(grad, saved[4], x.shape(), conv);
      GroupNormGrads norm_grads =
          group_norm_backward(inner, {x, saved[1], scale, norm.silu ? shift : Tensor()}, norm,
                              {.x = wanted[kX], .weight = wanted[kNormWeight], .bias = wanted[kNormBias]});
      grads[kX] = std::move(norm_grads.x);
      grads[kNormWeight] = std::move(norm_grads.weight);
      grads[kNormBias] = std::move(norm_grads.bias);
    }
    return Grads(std::move(grads));
  }
};

}  // namespace

Variable group_norm_conv2d(const Variable& x, const GroupNormOperands& norm, const Conv2dOperands& conv) {
  const GroupNormResult inner = group_norm(x.value(), norm.weight.value(), norm.bias.value(), norm.options);
  Tensor y = conv2d(inner.y, conv.weight.value(), conv.bias.value(), conv.options);
  const std::array<Variable, 5> inputs{x, norm.weight, norm.bias, conv.weight, conv.bias};
  const Shape& shape = conv.weight.shape();
  return record("group_norm_conv2d", std::move(y), std::span<const Variable>(inputs),
                save(x.value(), inner.statistics, norm.weight.value(), norm.bias.value(), conv.weight.value()),
                Backward{norm.options, conv.options, {shape[0], shape[1], shape[2], shape[3]}});
}

}  // namespace plumb
