#include "engine/ops/layout/flip.h"

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

Tensor flip(const Tensor& x, const Dims& dims) {
  Strides strides = x.strides();
  int64_t offset = x.offset();
  uint32_t seen = 0;
  for (int64_t dim : dims) {
    const int64_t d = normalize_dim("flip", dim, x.rank());
    require<ValueError>(!(seen >> d & 1u), "flip: dims must differ ({}); {}", dims, x);
    seen |= 1u << d;
    if (x.numel() == 0 || x.rank() == 0) continue;
    offset += (x.shape()[d] - 1) * strides[d];
    strides[d] = -strides[d];
  }
  // A view that walks backwards lives only as long as it is being copied: no other op ever meets a negative stride.
  Tensor out = empty(x.shape(), x.dtype(), x.device());
  out.copy_(x.view_as(x.shape(), strides, offset));
  return out;
}

}  // namespace plumb
