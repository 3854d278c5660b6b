#include "engine/ops/reduce/sum.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/reduce/sum_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

Tensor sum_over(const Tensor& x, DimMask mask, bool keepdim) {
  const OpScope scope("sum", x);
  const DType dtype = is_floating(x.dtype()) ? x.dtype() : DType::i64;
  Tensor out = empty(reduced_shape(x.shape(), mask, keepdim), dtype, x.device());
  scope.writes(out);
  scope.flops(x.numel());
  on_device(x.device(), [&](auto backend) { sum_kernel(backend, x, reduction_layout(x, mask), out); });
  return out;
}

}  // namespace

Tensor sum(const Tensor& x, const Dims& dims, bool keepdim) { return sum_over(x, dim_mask("sum", x, dims), keepdim); }

Tensor mean(const Tensor& x, const Dims& dims, bool keepdim) {
  const OpScope scope("mean", x);
  require<DTypeError>(is_floating(x.dtype()), "mean: input must be floating; {}", x);
  const DimMask mask = dim_mask("mean", x, dims);
  Tensor out = empty(reduced_shape(x.shape(), mask, keepdim), x.dtype(), x.device());
  scope.writes(out);
  scope.flops(x.numel());
  on_device(x.device(), [&](auto backend) { mean_kernel(backend, x, reduction_layout(x, mask), out); });
  return out;
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const int64_t lead = x.rank() - shape.rank();
  bool broadcasts = lead >= 0;
  DimMask mask = 0;
  for (int64_t d = 0; d < x.rank() && broadcasts; ++d) {
    const int64_t size = d < lead ? 1 : shape[d - lead];
    broadcasts = size == 1 || size == x.shape()[d];
    if (d < lead || size != x.shape()[d]) mask |= DimMask(1) << d;
  }
  require<ShapeError>(broadcasts, "sum_to: target must broadcast to the input's shape ({}); {}", shape, x);
  const Tensor total = sum_over(x, mask, true).to(x.dtype());
  return total.view_as(shape, contiguous_strides(shape), 0);
}

Tensor sum_backward(const Tensor& grad, const Shape& shape, DimMask mask) { return expand_reduced(grad, shape, mask); }

Tensor mean_backward(const Tensor& grad, const Shape& shape, DimMask mask) {
  Tensor share = grad.clone();
  share.mul_(1.0 / double(reduced_count(shape, mask)));
  return expand_reduced(share, shape, mask);
}

}  // namespace plumb
