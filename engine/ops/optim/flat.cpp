#include "engine/ops/optim/flat.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/one_device.h"
#include "engine/ops/optim/optim_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check(const char* op, const Tensor& x, const Tensor& scalar) {
  require<DTypeError>(scalar.dtype() == DType::f64 && scalar.numel() == 1, "{}: scalar must be f64 of one element; {}",
                      op, scalar);
  require<DTypeError>(is_floating(x.dtype()), "{}: takes floating tensors; {}", op, x);
  require<ShapeError>(x.is_contiguous(), "{}: tensor must be contiguous; {}", op, x);
}

}  // namespace

void add_sum_of_squares_(Tensor& total, const Tensor& x) {
  const OpScope scope("add_sum_of_squares_", x, total);
  scope.writes(total);
  scope.flops(2 * x.numel());
  check("add_sum_of_squares_", x, total);
  total.bump_version();
  if (x.numel() > 0) on_device(x.device(), [&](auto backend) { add_sum_of_squares_kernel(backend, x, total); });
}

Tensor root_of(const Tensor& x) {
  const OpScope scope("root_of", x);
  check("root_of", x, x);
  Tensor root = empty_like(x);
  scope.elementwise(root);
  on_device(x.device(), [&](auto backend) { root_kernel(backend, x, root); });
  return root;
}

Tensor clip_factor(const Tensor& norm, double max_norm) {
  const OpScope scope("clip_factor", norm);
  check("clip_factor", norm, norm);
  Tensor factor = empty_like(norm);
  scope.elementwise(factor);
  on_device(norm.device(), [&](auto backend) { clip_factor_kernel(backend, norm, max_norm, factor); });
  return factor;
}

Tensor is_not_finite(const Tensor& x) {
  const OpScope scope("is_not_finite", x);
  check("is_not_finite", x, x);
  Tensor answer = empty_like(x, DType::boolean);
  scope.elementwise(answer);
  on_device(x.device(), [&](auto backend) { not_finite_kernel(backend, x, answer); });
  return answer;
}

void scale_by_(Tensor& x, const Tensor& factor) {
  const OpScope scope("scale_by_", x, factor);
  scope.elementwise(x);
  check("scale_by_", x, factor);
  x.bump_version();
  if (x.numel() > 0) on_device(x.device(), [&](auto backend) { scale_by_kernel(backend, factor, x); });
}

void ema_step(Tensor& shadow, const Tensor& weight, const Tensor& decay) {
  const OpScope scope("ema_step", shadow, weight);
  scope.elementwise(shadow, 3);
  check("ema_step", shadow, decay);
  require_one_device("ema_step", shadow, decay);
  require<ShapeError>(weight.shape() == shadow.shape() && weight.is_contiguous(),
                      "ema_step: shadow and weight must have one shape and be contiguous; {} and {}", shadow, weight);
  require<DTypeError>(weight.dtype() == shadow.dtype(), "ema_step: shadow and weight must have one type; {} and {}",
                      shadow, weight);
  shadow.bump_version();
  if (shadow.numel() > 0) on_device(shadow.device(), [&](auto backend) { ema_kernel(backend, weight, decay, shadow); });
}

}  // namespace plumb
