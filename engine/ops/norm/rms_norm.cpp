#include "engine/ops/norm/rms_norm.h"

#include <limits>

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/norm/rms_norm_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, double eps) {
  require<DTypeError>(is_floating(x.dtype()), "rms_norm: input must be floating; {}", x);
  bool fits = !normalized_shape.empty() && normalized_shape.rank() <= x.rank();
  for (int64_t i = 0; fits && i < normalized_shape.rank(); ++i) fits = x.shape().back(i) == normalized_shape.back(i);
  require<ShapeError>(fits, "rms_norm: input must end in normalized_shape ({}); {}", normalized_shape, x);
  require<ValueError>(eps >= 0, "rms_norm: eps must not be negative ({}); {}", eps, x);
  if (!weight.defined()) return;
  require<ShapeError>(weight.shape() == normalized_shape, "rms_norm: weight must be {}; {}", normalized_shape, weight);
  require<DTypeError>(weight.dtype() == x.dtype(), "rms_norm: weight must have the input's dtype ({}); {}", x.dtype(),
                      weight);
  require<DeviceError>(weight.device() == x.device(), "rms_norm: weight must be on the input's device ({}); {}",
                       x.device(), weight);
}

Tensor dense(const Tensor& x) { return x.defined() ? x.contiguous() : x; }

}  // namespace

RmsNormResult rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight,
                       std::optional<double> eps) {
  const OpScope scope("rms_norm", x, weight);
  const DType statistics = acc_dtype(x.dtype());
  const double epsilon = eps.value_or(statistics == DType::f64 ? std::numeric_limits<double>::epsilon()
                                                               : double(std::numeric_limits<float>::epsilon()));
  check(x, normalized_shape, weight, epsilon);
  const Shape rows(x.shape().begin(), x.rank() - normalized_shape.rank());
  RmsNormResult out{empty(x.shape(), x.dtype(), x.device()), empty(rows, statistics, x.device())};
  scope.elementwise(out.y, 4);
  if (x.numel() == 0) {  // rows of no elements: the mean of nothing
    out.rstd.fill_(__builtin_nan(""));
    return out;
  }
  const Tensor input = x.contiguous(), scale = dense(weight);
  on_device(x.device(), [&](auto backend) { rms_norm_kernel(backend, input, scale, epsilon, out); });
  return out;
}

RmsNormGrads rms_norm_backward(const Tensor& grad, const Tensor& x, const RmsNormResult& forward, const Tensor& weight,
                               const Shape& normalized_shape, RmsNormWanted wanted) {
  const OpScope scope("rms_norm_backward", grad, x, weight);
  RmsNormGrads grads;
  if (wanted.x) grads.x = empty(x.shape(), x.dtype(), x.device());
  if (wanted.weight) grads.weight = zeros(normalized_shape, x.dtype(), x.device());
  scope.writes(grads.x);
  scope.flops(10 * x.numel());
  if (x.numel() == 0) return grads;
  const Tensor upstream = grad.contiguous(), input = x.contiguous(), scale = dense(weight);
  on_device(x.device(),
            [&](auto backend) { rms_norm_backward_kernel(backend, upstream, input, forward.rstd, scale, grads); });
  return grads;
}

}  // namespace plumb
