#include "engine/ops/layout/pad.h"

#include <algorithm>

#include "engine/format.h"
#include "engine/ops/layout/view.h"
#include "engine/require.h"

namespace plumb {

Tensor pad(const Tensor& x, const Dims& amounts, double value) {
  require<ShapeError>(amounts.rank() % 2 == 0 && amounts.rank() <= 2 * x.rank(),
                      "pad: amounts must be pairs, at most one per dimension ({}); {}", amounts, x);
  Tensor kept = x;
  Shape shape = x.shape();
  for (int64_t i = 0; i < amounts.rank() / 2; ++i) {
    const int64_t d = x.rank() - 1 - i, size = shape[d];
    shape[d] += amounts[2 * i] + amounts[2 * i + 1];
    require<ShapeError>(shape[d] >= 0, "pad: cannot crop dim {} to less than nothing ({}); {}", d, amounts, x);
    // Crop first: what remains of x is what lies inside the result on both sides.
    const int64_t first = std::max<int64_t>(0, -amounts[2 * i]);
    kept = slice(kept, d, first, std::max(first, size + std::min<int64_t>(0, amounts[2 * i + 1])));
  }
  Tensor out = kept.shape() == shape ? empty(shape, x.dtype(), x.device()) : full(shape, value, x.dtype(), x.device());
  Tensor inside = out;
  for (int64_t i = 0; i < amounts.rank() / 2; ++i) {
    const int64_t d = x.rank() - 1 - i, first = std::max<int64_t>(0, amounts[2 * i]);
    inside = slice(inside, d, first, first + kept.shape()[d]);
  }
  inside.copy_(kept);
  return out;
}

Tensor pad_backward(const Tensor& grad, const Dims& amounts) {
  Dims opposite = amounts;
  for (int64_t& amount : opposite) amount = -amount;
  return pad(grad, opposite, 0);
}

}  // namespace plumb
