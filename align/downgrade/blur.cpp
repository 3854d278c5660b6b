#include "align/downgrade/blur.h"

#include <algorithm>

#include "engine/format.h"
#include "engine/ops/resize/interpolate_bilinear.h"
#include "engine/require.h"

namespace plumb {

Tensor blur(const Tensor& images) {
  require<ShapeError>(images.rank() == 4, "blur: pictures must be [N, C, H, W]; {}", images);
  constexpr int64_t kFactor = 4;
  const int64_t height = images.size(2), width = images.size(3);
  const Tensor small =
      interpolate_bilinear(images, std::max<int64_t>(1, height / kFactor), std::max<int64_t>(1, width / kFactor));
  return interpolate_bilinear(small, height, width);
}

}  // namespace plumb
