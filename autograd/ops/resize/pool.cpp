#include "engine/ops/resize/pool.h"

#include "autograd/ops/resize.h"
#include "autograd/record.h"

namespace plumb {
namespace {

PixelPair size_of_image(const Variable& x) { return {x.size(2), x.size(3)}; }

}  // namespace

Variable avg_pool2d(const Variable& x, const PoolWindow& window) {
  return record("avg_pool2d", avg_pool2d(x.value(), window), {x}, save(),
                [window, size = size_of_image(x)](const Saved&, const Tensor& grad, Needs) {
                  return Grads(avg_pool2d_backward(grad, window, size));
                });
}

Variable upsample_nearest(const Variable& x, int64_t scale) {
  return record(
      "upsample_nearest", upsample_nearest(x.value(), scale), {x}, save(),
      [scale](const Saved&, const Tensor& grad, Needs) { return Grads(upsample_nearest_backward(grad, scale)); });
}

Variable interpolate_nearest(const Variable& x, PixelPair size) {
  return record("interpolate_nearest", interpolate_nearest(x.value(), size), {x}, save(),
                [in = size_of_image(x)](const Saved&, const Tensor& grad, Needs) {
                  return Grads(interpolate_nearest_backward(grad, in));
                });
}

Variable interpolate_area(const Variable& x, PixelPair size) {
  return record("interpolate_area", interpolate_area(x.value(), size), {x}, save(),
                [in = size_of_image(x)](const Saved&, const Tensor& grad, Needs) {
                  return Grads(interpolate_area_backward(grad, in));
                });
}

}  // namespace plumb
