#include "engine/ops/random/dropout.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/random/dropout_kernels.h"
#include "engine/ops/random/random.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {

Tensor dropout(const Tensor& x, double p, const RandomKey& key) {
  const OpScope scope("dropout", x);
  require<DTypeError>(is_floating(x.dtype()), "dropout: input must be floating; {}", x);
  require<ValueError>(p >= 0 && p <= 1, "dropout: p must be from 0 to 1 ({}); {}", p, x);
  if (p == 0) return x;
  if (p == 1) return zeros(x.shape(), x.dtype(), x.device());
  const Tensor drawn = rand(key, x.shape(), DType::f32, x.device());
  Tensor y = x.dtype() == DType::f32 ? drawn : empty(x.shape(), x.dtype(), x.device());
  scope.elementwise(y);
  const Tensor input = x.contiguous();
  if (x.numel() > 0) on_device(x.device(), [&](auto backend) { dropout_kernel(backend, input, drawn, p, y); });
  return y;
}

}  // namespace plumb
