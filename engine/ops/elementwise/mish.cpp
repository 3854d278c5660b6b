#include "engine/ops/elementwise/mish.h"

#include "engine/format.h"
#include "engine/ops/elementwise/binary.h"
#include "engine/ops/elementwise/unary.h"
#include "engine/require.h"

namespace plumb {

Tensor mish(const Tensor& x) {
  require<DTypeError>(is_floating(x.dtype()), "mish: input must be floating; {}", x);
  const Tensor wide = x.to(acc_dtype(x.dtype()));
  return mul(wide, tanh(softplus(wide))).to(x.dtype());
}

Tensor mish_backward(const Tensor& grad, const Tensor& x) {
  const Tensor wide = x.to(acc_dtype(x.dtype()));
  const Tensor t = tanh(softplus(wide));
  // 1 - t^2 = tanh'(softplus(x)), and sigmoid is softplus'.
  const Tensor bend = mul(wide, tanh_backward(sigmoid(wide), t));
  return mul(grad.to(wide.dtype()), add(t, bend)).to(x.dtype());
}

}  // namespace plumb
