#include "engine/ops/conv/conv2d.h"

#include <array>

#include "autograd/ops/conv.h"
#include "autograd/record.h"

namespace plumb {
namespace {

/// A shape without the room for other ranks: a node has space for two of these beside the options.
std::array<int64_t, 4> packed(const Shape& shape) { return {shape[0], shape[1], shape[2], shape[3]}; }

}  // namespace

Variable conv2d(const Variable& x, const Variable& weight, const Variable& bias, const Conv2dOptions& options) {
  const Needs needs = needs_of({x, weight, bias});
  const Tensor none;
  return record(
      "conv2d", conv2d(x.value(), weight.value(), bias.value(), options), {x, weight, bias},
      save(needs[1] ? x.value() : none, needs[0] ? weight.value() : none),
      [options, x_shape = packed(x.shape()), weight_shape = packed(weight.shape())](const Saved& saved,
                                                                                    const Tensor& grad, Needs wanted) {
        return Grads(
            wanted[0] ? conv2d_backward_x(grad, saved[1], Shape(x_shape.data(), 4), options) : Tensor(),
            wanted[1] ? conv2d_backward_weight(grad, saved[0], Shape(weight_shape.data(), 4), options) : Tensor(),
            wanted[2] ? conv2d_backward_bias(grad) : Tensor());
      });
}

}  // namespace plumb
