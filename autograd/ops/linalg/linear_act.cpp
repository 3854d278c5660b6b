// A node an activation: with silu and gelu it keeps the derivative, which the forward pass has at hand, and backward is
// a product, a pass that multiplies by it and sums the bias' gradient, and the layer's two products.

#include <algorithm>
#include <vector>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "autograd/ops/linalg.h"
#include "autograd/record.h"
#include "engine/ops/elementwise/activate.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/linalg/linear.h"
#include "engine/packed_cache.h"

namespace plumb {

namespace {

/// grad * derivative, in grad's own memory if nobody else sees it, and the bias' gradient with it if that is wanted.
Tensor before_activation(const Tensor& grad, const Tensor& derivative, bool wants_bias, Tensor& bias_grad) {
  if (!wants_bias || !grad.is_contiguous()) {
    Tensor result = mul(grad, derivative);
    if (wants_bias) bias_grad = linear_backward_bias(result);
    return result;
  }
  Tensor result = grad.is_exclusive() ? grad : empty_like(grad);
  bias_grad = linear_act_backward(grad, derivative, result);
  return result;
}

/// relu's derivative is read off its output, and a 16-bit one would be rounded: then there is none to keep.
bool keeps_derivative(DType dtype, FusedActivation activation) {
  return acc_dtype(dtype) == dtype && activation != FusedActivation::none && activation != FusedActivation::relu;
}

/// The gradients of parts whose features lie side by side, those that are wanted.
void part_grads(const Tensor& inner, const Tensor& weight, const std::vector<int64_t>& widths, Needs wanted,
                std::vector<Tensor>& grads) {
  int64_t first = 0;
  for (size_t i = 0; i < widths.size(); ++i) {
    if (wanted[int(i)]) grads[i] = linear_backward_x(inner, slice(weight, 1, first, first + widths[i]));
    first += widths[i];
  }
}

}  // namespace

Variable linear_act(const Variable& x, const Variable& weight, const Variable& bias, FusedActivation activation) {
  const Needs needs = needs_of({x, weight, bias});
  if (!needs.any()) return Variable(linear_act(x.value(), weight.value(), bias.value(), activation));
  if (!keeps_derivative(x.dtype(), activation)) return activate(linear(x, weight, bias), activation);
  const PackedCachePause pause(needs[1]);
  const Tensor none;
  Tensor derivative;
  Tensor y = linear_act(x.value(), weight.value(), bias.value(), activation, derivative);
  return record("linear_act", std::move(y), {x, weight, bias},
                save(needs[1] ? x.value() : none, needs[0] ? weight.value() : none, derivative),
                [](const Saved& saved, const Tensor& grad, Needs wanted) {
                  Tensor bias_grad;
                  const Tensor inner = before_activation(grad, saved[2], wanted[2], bias_grad);
                  return Grads(wanted[0] ? linear_backward_x(inner, saved[1]) : Tensor(),
                               wanted[1] ? linear_backward_weight(inner, saved[0]) : Tensor(), std::move(bias_grad));
                });
}

Variable linear_act(std::span<const Variable> parts, const Variable& weight, const Variable& bias,
                    FusedActivation activation) {
  std::vector<Variable> inputs(parts.begin(), parts.end());
  inputs.push_back(weight);
  inputs.push_back(bias);
  const Needs needs = needs_of(std::span<const Variable>(inputs));
  if (parts.empty() || !needs.any() || !keeps_derivative(parts[0].dtype(), activation))
    return linear_act(cat(parts, -1), weight, bias, activation);
  std::vector<Tensor> values;
  std::vector<int64_t> widths;
  bool needs_parts = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    values.push_back(parts[i].value());
    widths.push_back(parts[i].shape().back());
    needs_parts = needs_parts || needs[int(i)];
  }
  const int count = int(parts.size());
  const PackedCachePause pause(needs[count]);
  const Tensor x = cat(values, -1), none;
  Tensor derivative;
  Tensor y = linear_act(x, weight.value(), bias.value(), activation, derivative);
  return record("linear_act", std::move(y), std::span<const Variable>(inputs),
                save(needs[count] ? x : none, needs_parts ? weight.value() : none, derivative),
                [widths = std::move(widths), count, needs_parts](const Saved& saved, const Tensor& grad, Needs wanted) {
                  std::vector<Tensor> grads(size_t(count) + 2);
                  const Tensor inner = before_activation(grad, saved[2], wanted[count + 1], grads[size_t(count) + 1]);
                  if (needs_parts) part_grads(inner, saved[1], widths, wanted, grads);
                  if (wanted[count]) grads[size_t(count)] = linear_backward_weight(inner, saved[0]);
                  return Grads(std::move(grads));
                });
}

}  // namespace plumb
