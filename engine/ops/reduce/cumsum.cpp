#include "engine/ops/reduce/cumsum.h"

#include "engine/backend.h"
#include "engine/ops/reduce/cumsum_kernels.h"
#include "engine/profile/op_scope.h"

namespace plumb {
namespace {

Tensor running_sum(const char* op, const Tensor& x, int64_t dim, bool reverse) {
  const OpScope scope(op, x);
  dim = normalize_dim(op, dim, x.rank());
  Tensor y = empty(x.shape(), is_floating(x.dtype()) ? x.dtype() : DType::i64, x.device());
  scope.elementwise(y);
  if (x.numel() > 0) on_device(x.device(), [&](auto backend) { cumsum_kernel(backend, x, dim, reverse, y); });
  return y;
}

}  // namespace

Tensor cumsum(const Tensor& x, int64_t dim) { return running_sum("cumsum", x, dim, false); }
Tensor cumsum_backward(const Tensor& grad, int64_t dim) { return running_sum("cumsum_backward", grad, dim, true); }

}  // namespace plumb
