#include "engine/ops/resize/pixel_shuffle.h"

#include "autograd/ops/resize.h"
#include "autograd/record.h"

namespace plumb {

Variable pixel_shuffle(const Variable& x, int64_t upscale) {
  return record("pixel_shuffle", pixel_shuffle(x.value(), upscale), {x}, save(),
                [upscale](const Saved&, const Tensor& grad, Needs) { return Grads(pixel_unshuffle(grad, upscale)); });
}

Variable pixel_unshuffle(const Variable& x, int64_t downscale) {
  return record("pixel_unshuffle", pixel_unshuffle(x.value(), downscale), {x}, save(),
                [downscale](const Saved&, const Tensor& grad, Needs) { return Grads(pixel_shuffle(grad, downscale)); });
}

}  // namespace plumb
