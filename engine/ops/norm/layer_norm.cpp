#include "engine/ops/norm/layer_norm.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/norm/layer_norm_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

Shape leading_shape(const Tensor& x, const Shape& normalized_shape) {
  return Shape(x.shape().begin(), x.rank() - normalized_shape.rank());
}

void check_parameter(const char* name, const Tensor& parameter, const Tensor& x, const Shape& normalized_shape) {
  if (!parameter.defined()) return;
  require<ShapeError>(parameter.shape() == normalized_shape, "layer_norm: {} must be {}; {}", name, normalized_shape,
                      parameter);
  require<DTypeError>(parameter.dtype() == x.dtype(), "layer_norm: {} must have the input's dtype ({}); {}", name,
                      x.dtype(), parameter);
  require<DeviceError>(parameter.device() == x.device(), "layer_norm: {} must be on the input's device ({}); {}", name,
                       x.device(), parameter);
}

void check(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias, double eps) {
  require<DTypeError>(is_floating(x.dtype()), "layer_norm: input must be floating; {}", x);
  bool fits = !normalized_shape.empty() && normalized_shape.rank() <= x.rank();
  for (int64_t i = 0; fits && i < normalized_shape.rank(); ++i) fits = x.shape().back(i) == normalized_shape.back(i);
  require<ShapeError>(fits, "layer_norm: input must end in normalized_shape ({}); {}", normalized_shape, x);
  require<ValueError>(eps >= 0, "layer_norm: eps must not be negative ({}); {}", eps, x);
  check_parameter("weight", weight, x, normalized_shape);
  check_parameter("bias", bias, x, normalized_shape);
}

Tensor dense(const Tensor& x) { return x.defined() ? x.contiguous() : x; }

}  // namespace

LayerNormResult layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                           double eps) {
  const OpScope scope("layer_norm", x, weight, bias);
  check(x, normalized_shape, weight, bias, eps);
  const Shape rows = leading_shape(x, normalized_shape);
  const DType statistics = acc_dtype(x.dtype());
  LayerNormResult out{empty(x.shape(), x.dtype(), x.device()), empty(rows, statistics, x.device()),
                      empty(rows, statistics, x.device())};
  scope.elementwise(out.y, 8);  // mean 1, variance 3, normalise 2, scale and shift 2
  if (x.numel() == 0) {         // rows of no elements: the mean of nothing
    out.mean.fill_(__builtin_nan(""));
    out.rstd.fill_(__builtin_nan(""));
    return out;
  }
  const Tensor input = x.contiguous(), scale = dense(weight), shift = dense(bias);
  on_device(x.device(), [&](auto backend) { layer_norm_kernel(backend, input, scale, shift, eps, out); });
  return out;
}

LayerNormGrads layer_norm_backward(const Tensor& grad, const Tensor& x, const LayerNormResult& forward,
                                   const Tensor& weight, const Shape& normalized_shape, LayerNormWanted wanted) {
  const OpScope scope("layer_norm_backward", grad, x, weight);
  LayerNormGrads grads;
  if (wanted.x) grads.x = empty(x.shape(), x.dtype(), x.device());
  if (wanted.weight) grads.weight = zeros(normalized_shape, x.dtype(), x.device());
  if (wanted.bias) grads.bias = zeros(normalized_shape, x.dtype(), x.device());
  scope.writes(grads.x);
  scope.flops(14 * x.numel());
  if (x.numel() == 0) return grads;
  const Tensor upstream = grad.contiguous(), input = x.contiguous(), scale = dense(weight);
  on_device(x.device(),
            [&](auto backend) { layer_norm_backward_kernel(backend, upstream, input, forward, scale, grads); });
  return grads;
}

}  // namespace plumb
