#include "engine/ops/index/gather.h"

#include "engine/format.h"
#include "engine/one_device.h"
#include "engine/ops/index/check_index.h"
#include "engine/ops/index/gather_kernels.h"
#include "engine/ops/layout/view.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// A 0-d tensor counts as one element along dimension 0.
Tensor at_least_1d(const Tensor& x) { return x.rank() == 0 ? unsqueeze(x, 0) : x; }

/// Throws unless index fits inside `other`, along every dimension but `free` (-1: none is).
void check_fits(const char* op, const Tensor& index, const Tensor& other, int64_t free) {
  bool fits = index.rank() == other.rank();
  for (int64_t d = 0; fits && d < index.rank(); ++d) fits = d == free || index.shape()[d] <= other.shape()[d];
  require<ShapeError>(fits, "{}: index must have the tensor's rank and be no larger; index {}, tensor {}", op, index,
                      other);
}

}  // namespace

Tensor gather(const Tensor& x, int64_t dim, const Tensor& index) {
  const OpScope scope("gather", index);
  const int64_t d = normalize_dim("gather", dim, x.rank());
  require_one_device("gather", x, index);
  const Tensor from = at_least_1d(x);
  const Tensor list = at_least_1d(index);
  check_fits("gather", list, from, d);
  const Tensor positions = checked_indices("gather", list, from.shape()[d]);
  Tensor out = empty(list.shape(), x.dtype(), x.device());
  scope.writes(out);
  scope.reads(out.numel() * size_of(out.dtype()));
  if (out.numel() > 0) on_device(out.device(), [&](auto backend) { gather_kernel(backend, from, d, positions, out); });
  return reshape(out, index.shape());
}

Tensor scatter_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& src) {
  const OpScope scope("scatter_add", x, index, src);
  const int64_t d = normalize_dim("scatter_add", dim, x.rank());
  require<DTypeError>(x.dtype() == src.dtype() && x.dtype() != DType::boolean,
                      "scatter_add: operands must have one numeric dtype; {} and {}", x, src);
  const Tensor list = at_least_1d(index);
  Tensor from = at_least_1d(src);
  check_fits("scatter_add", list, at_least_1d(x), d);
  check_fits("scatter_add", list, from, -1);
  const Tensor positions = checked_indices("scatter_add", list, at_least_1d(x).shape()[d]);
  for (int64_t i = 0; i < list.rank(); ++i) from = slice(from, i, 0, list.shape()[i]);
  const DType wide = is_floating(x.dtype()) ? acc_dtype(x.dtype()) : x.dtype();
  Tensor out = empty(x.shape(), wide, x.device());
  scope.writes(out);
  scope.flops(list.numel());
  out.copy_(x);
  Tensor target = at_least_1d(out);
  from = from.to(wide);
  if (list.numel() > 0)
    on_device(out.device(), [&](auto backend) { scatter_add_kernel(backend, from, d, positions, target); });
  return out.to(x.dtype());
}

}  // namespace plumb
