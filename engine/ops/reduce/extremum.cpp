#include "engine/ops/reduce/extremum.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/reduce/extremum_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void require_elements(const char* op, const Tensor& x, DimMask mask) {
  require<ShapeError>(reduced_count(x.shape(), mask) > 0, "{}: needs an element to choose from (0); {}", op, x);
}

Tensor extremum(const char* op, Extremum which, const Tensor& x, const Dims& dims, bool keepdim) {
  const OpScope scope(op, x);
  const DimMask mask = dim_mask(op, x, dims);
  require_elements(op, x, mask);
  Tensor out = empty(reduced_shape(x.shape(), mask, keepdim), x.dtype(), x.device());
  scope.writes(out);
  scope.flops(x.numel());
  on_device(x.device(), [&](auto backend) { extremum_kernel(backend, which, x, reduction_layout(x, mask), out); });
  return out;
}

Tensor arg_extremum(const char* op, Extremum which, const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  const OpScope scope(op, x);
  const DimMask mask = dim_mask(op, x, dim ? Dims{*dim} : Dims{});
  require_elements(op, x, mask);
  Tensor out = empty(reduced_shape(x.shape(), mask, keepdim), DType::i64, x.device());
  scope.writes(out);
  scope.flops(x.numel());
  on_device(x.device(),
            [&](auto backend) { arg_extremum_kernel(backend, which, x, reduction_layout(x, mask, true), out); });
  return out;
}

}  // namespace

Tensor max(const Tensor& x, const Dims& dims, bool keepdim) { return extremum("max", Extremum::max, x, dims, keepdim); }
Tensor min(const Tensor& x, const Dims& dims, bool keepdim) { return extremum("min", Extremum::min, x, dims, keepdim); }

Tensor argmax(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  return arg_extremum("argmax", Extremum::max, x, dim, keepdim);
}
Tensor argmin(const Tensor& x, std::optional<int64_t> dim, bool keepdim) {
  return arg_extremum("argmin", Extremum::min, x, dim, keepdim);
}

Tensor extremum_backward(const Tensor& grad, const Tensor& x, const Tensor& y, DimMask mask) {
  const OpScope scope("extremum_backward", grad, x, y);
  Tensor grad_x = empty(x.shape(), x.dtype(), x.device());
  scope.elementwise(grad_x, 2);
  const Tensor upstream = grad.contiguous(), value = y.contiguous();
  on_device(x.device(), [&](auto backend) { extremum_backward_kernel(backend, upstream, x, value, mask, grad_x); });
  return grad_x;
}

}  // namespace plumb
