#include "engine/ops/resize/pixel_shuffle.h"

#include "engine/format.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check(const char* op, const char* factor, const Tensor& x, int64_t r) {
  require<ShapeError>(x.rank() == 4, "{}: input must be [N, C, H, W]; {}", op, x);
  require<ValueError>(r > 0 && r <= 1 << 20, "{}: {} must be from 1 to 2^20 ({}); {}", op, factor, r, x);
}

Tensor empty_in_order_of(const Tensor& x, const Shape& s) {
  if (x.is_contiguous() || !x.is_channels_last()) return empty(s, x.dtype(), x.device());
  return empty({s[0], s[2], s[3], s[1]}, x.dtype(), x.device())
      .view_as(s, {s[1] * s[2] * s[3], 1, s[3] * s[1], s[1]}, 0);
}

// The same elements as [N, C, i, j, H, W], from an image with small channels and from one with large pixels.
Tensor split_channels(const Tensor& x, int64_t r) {
  const Shape& s = x.shape();
  const Strides& t = x.strides();
  return x.view_as({s[0], s[1] / (r * r), r, r, s[2], s[3]}, {t[0], t[1] * r * r, t[1] * r, t[1], t[2], t[3]},
                   x.offset());
}
Tensor split_pixels(const Tensor& x, int64_t r) {
  const Shape& s = x.shape();
  const Strides& t = x.strides();
  return x.view_as({s[0], s[1], r, r, s[2] / r, s[3] / r}, {t[0], t[1], t[2], t[3], t[2] * r, t[3] * r}, x.offset());
}

}  // namespace

Tensor pixel_shuffle(const Tensor& x, int64_t upscale) {
  const OpScope scope("pixel_shuffle", x);
  const int64_t r = upscale;
  check("pixel_shuffle", "upscale", x, r);
  require<ShapeError>(x.size(1) % (r * r) == 0, "pixel_shuffle: channels must be divisible by {}; {}", r * r, x);
  const Tensor y = empty_in_order_of(x, {x.size(0), x.size(1) / (r * r), x.size(2) * r, x.size(3) * r});
  scope.writes(y);
  split_pixels(y, r).copy_(split_channels(x, r));
  return y;
}

Tensor pixel_unshuffle(const Tensor& x, int64_t downscale) {
  const OpScope scope("pixel_unshuffle", x);
  const int64_t r = downscale;
  check("pixel_unshuffle", "downscale", x, r);
  require<ShapeError>(x.size(2) % r == 0 && x.size(3) % r == 0,
                      "pixel_unshuffle: height and width must be divisible by {}; {}", r, x);
  const Tensor y = empty_in_order_of(x, {x.size(0), x.size(1) * r * r, x.size(2) / r, x.size(3) / r});
  scope.writes(y);
  split_channels(y, r).copy_(split_pixels(x, r));
  return y;
}

}  // namespace plumb
