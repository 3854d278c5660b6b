#include "engine/ops/resize/interpolate_bilinear.h"

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/resize/interpolate_bilinear_kernels.h"
#include "engine/require.h"

namespace plumb {

Tensor interpolate_bilinear(const Tensor& x, int64_t height, int64_t width) {
  require<DTypeError>(is_floating(x.dtype()), "interpolate_bilinear: input must be floating; {}", x);
  require<ShapeError>(x.rank() == 4 && x.size(2) > 0 && x.size(3) > 0,
                      "interpolate_bilinear: input must be [N, C, H, W] with H and W positive; {}", x);
  require<ShapeError>(height > 0 && width > 0, "interpolate_bilinear: size must be positive ({} by {}); {}", height,
                      width, x);
  Tensor y = empty({x.size(0), x.size(1), height, width}, x.dtype(), x.device());
  if (y.numel() > 0) on_device(x.device(), [&](auto backend) { interpolate_bilinear_kernel(backend, x, y); });
  return y;
}

}  // namespace plumb
