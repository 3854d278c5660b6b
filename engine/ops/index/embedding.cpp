#include "engine/ops/index/embedding.h"

#include "engine/format.h"
#include "engine/one_device.h"
#include "engine/ops/index/check_index.h"
#include "engine/ops/index/embedding_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {

Tensor embedding(const Tensor& indices, const Tensor& weight) {
  const OpScope scope("embedding", indices);
  require<ShapeError>(weight.rank() == 2, "embedding: weight must be [V, D]; {}", weight);
  require_one_device("embedding", indices, weight);
  const Tensor rows = checked_indices("embedding", indices, weight.shape()[0]);
  Shape shape = indices.shape();
  shape.push_back(weight.shape()[1]);
  Tensor out = empty(shape, weight.dtype(), weight.device());
  scope.writes(out);
  scope.reads(out.numel() * size_of(out.dtype()));
  const Tensor table = weight.contiguous();
  if (out.numel() > 0) on_device(out.device(), [&](auto backend) { embedding_kernel(backend, rows, table, out); });
  return out;
}

Tensor embedding_backward(const Tensor& grad, const Tensor& indices, int64_t rows) {
  const OpScope scope("embedding_backward", grad, indices);
  require<DTypeError>(is_floating(grad.dtype()), "embedding_backward: takes a floating gradient; {}", grad);
  require<ShapeError>(grad.rank() == indices.rank() + 1 && grad.numel() == indices.numel() * grad.shape().back(),
                      "embedding_backward: grad must be indices' shape + [D]; {} and {}", grad, indices);
  const Tensor list = checked_indices("embedding_backward", indices, rows);
  const Tensor dense = grad.to(acc_dtype(grad.dtype())).contiguous();
  Tensor out = zeros({rows, grad.shape().back()}, dense.dtype(), grad.device());
  scope.writes(out);
  scope.flops(dense.numel());
  if (dense.numel() > 0)
    on_device(out.device(), [&](auto backend) { embedding_backward_kernel(backend, dense, list, out); });
  return out.to(grad.dtype());
}

}  // namespace plumb
