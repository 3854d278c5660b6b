#include "engine/ops/reduce/any_all.h"

#include "engine/backend.h"
#include "engine/ops/reduce/any_all_kernels.h"
#include "engine/profile/op_scope.h"

namespace plumb {

Tensor any(const Tensor& x, const Dims& dims, bool keepdim) {
  const OpScope scope("any", x);
  const DimMask mask = dim_mask("any", x, dims);
  Tensor out = empty(reduced_shape(x.shape(), mask, keepdim), DType::boolean, x.device());
  scope.writes(out);
  on_device(x.device(), [&](auto backend) { any_kernel(backend, x, reduction_layout(x, mask), out); });
  return out;
}

Tensor all(const Tensor& x, const Dims& dims, bool keepdim) {
  const OpScope scope("all", x);
  const DimMask mask = dim_mask("all", x, dims);
  Tensor out = empty(reduced_shape(x.shape(), mask, keepdim), DType::boolean, x.device());
  scope.writes(out);
  on_device(x.device(), [&](auto backend) { all_kernel(backend, x, reduction_layout(x, mask), out); });
  return out;
}

}  // namespace plumb
