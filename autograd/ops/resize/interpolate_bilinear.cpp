#include "engine/ops/resize/interpolate_bilinear.h"

#include "autograd/ops/resize.h"
#include "autograd/record.h"

namespace plumb {

Variable interpolate_bilinear(const Variable& x, int64_t height, int64_t width) {
  return record("interpolate_bilinear", interpolate_bilinear(x.value(), height, width), {x}, save(),
                [in_height = x.size(2), in_width = x.size(3)](const Saved&, const Tensor& grad, Needs) {
                  return Grads(interpolate_bilinear_backward(grad, in_height, in_width));
                });
}

}  // namespace plumb
