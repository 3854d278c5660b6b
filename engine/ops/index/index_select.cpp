// Along the first dimension this is embedding, whole rows at a time; along the others it is gather with one list for
// all lines. The gradient is scatter_add with that list.

#include "engine/ops/index/index_select.h"

#include "engine/format.h"
#include "engine/one_device.h"
#include "engine/ops/index/check_index.h"
#include "engine/ops/index/embedding_kernels.h"
#include "engine/ops/index/gather_kernels.h"
#include "engine/ops/layout/view.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// The list as an index of x's rank, repeated along every dimension but dim.
Tensor spread(const Tensor& list, const Shape& shape, int64_t dim) {
  Shape line = Dims::filled(shape.rank(), 1);
  line[dim] = list.numel();
  Shape full = shape;
  full[dim] = list.numel();
  return expand(reshape(list, line), full);
}

}  // namespace

Tensor index_select(const Tensor& x, int64_t dim, const Tensor& index) {
  const OpScope scope("index_select", index);
  require<ShapeError>(x.rank() > 0, "index_select: tensor must have a dimension; {}", x);
  require<ShapeError>(index.rank() <= 1, "index_select: index must be a list; {}", index);
  require_one_device("index_select", x, index);
  const int64_t d = normalize_dim("index_select", dim, x.rank());
  const Tensor list = checked_indices("index_select", index, x.shape()[d]);
  Shape shape = x.shape();
  shape[d] = list.numel();
  Tensor out = empty(shape, x.dtype(), x.device());
  scope.writes(out);
  scope.reads(out.numel() * size_of(out.dtype()));
  if (out.numel() == 0) return out;
  const Tensor rows = d == 0 ? x.contiguous() : x;
  on_device(x.device(), [&](auto backend) {
    if (d == 0)
      embedding_kernel(backend, list, reshape(rows, {x.shape()[0], x.numel() / x.shape()[0]}), out);
    else
      gather_kernel(backend, x, d, spread(list, x.shape(), d), out);
  });
  return out;
}

Tensor index_select_backward(const Tensor& grad, const Shape& shape, int64_t dim, const Tensor& index) {
  const OpScope scope("index_select_backward", grad, index);
  const int64_t d = normalize_dim("index_select_backward", dim, shape.rank());
  const Tensor list = checked_indices("index_select_backward", index, shape[d]);
  const Tensor wide = grad.to(acc_dtype(grad.dtype()));
  Tensor out = zeros(shape, wide.dtype(), grad.device());
  scope.writes(out);
  scope.flops(grad.numel());
  if (grad.numel() > 0)
    on_device(grad.device(), [&](auto backend) { scatter_add_kernel(backend, wide, d, spread(list, shape, d), out); });
  return out.to(grad.dtype());
}

}  // namespace plumb
