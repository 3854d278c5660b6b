#include "engine/ops/resize/pool.h"

#include <algorithm>

#include "engine/backend.h"
#include "engine/format.h"
#include "engine/ops/resize/pool_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check_image(const char* op, const Tensor& x) {
  require<DTypeError>(is_floating(x.dtype()), "{}: input must be floating; {}", op, x);
  require<ShapeError>(x.rank() == 4 && x.size(2) > 0 && x.size(3) > 0,
                      "{}: input must be [N, C, H, W] with H and W positive; {}", op, x);
}

void check_size(const char* op, const Tensor& x, PixelPair size) {
  check_image(op, x);
  require<ShapeError>(size.height > 0 && size.width > 0, "{}: size must be positive ({} by {}); {}", op, size.height,
                      size.width, x);
}

/// In one of the two orders that kernels know.
Tensor as_image(const Tensor& x) { return x.is_contiguous() || x.is_channels_last() ? x : x.contiguous(); }

Tensor empty_image(const Tensor& like, int64_t height, int64_t width) {
  const int64_t n = like.size(0), c = like.size(1);
  if (like.is_contiguous()) return empty({n, c, height, width}, like.dtype(), like.device());
  const Tensor memory = empty({n, height, width, c}, like.dtype(), like.device());
  return memory.view_as({n, c, height, width}, {height * width * c, 1, width * c, c}, 0);
}

int64_t pooled_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding) {
  return (in + 2 * padding - kernel) / stride + 1;
}

PixelRule window_rule(int64_t in, int64_t kernel, int64_t stride, int64_t padding) {
  return {PixelRule::Kind::window, in, pooled_size(in, kernel, stride, padding), kernel, stride, padding};
}
PixelRules window_rules(PixelPair in, const PoolWindow& w) {
  return {window_rule(in.height, w.kernel.height, w.stride.height, w.padding.height),
          window_rule(in.width, w.kernel.width, w.stride.width, w.padding.width)};
}
PixelRules repeat_rules(PixelPair in, int64_t scale) {
  return {{PixelRule::Kind::repeat, in.height, in.height * scale, 1, scale},
          {PixelRule::Kind::repeat, in.width, in.width * scale, 1, scale}};
}
PixelRules resize_rules(PixelRule::Kind kind, PixelPair in, PixelPair out) {
  return {{kind, in.height, out.height}, {kind, in.width, out.width}};
}

PixelPair size_of(const Tensor& x) { return {x.size(2), x.size(3)}; }

Tensor forward(const Tensor& x, const PixelRules& rules) {
  const OpScope scope("pool", x);
  const Tensor image = as_image(x);
  Tensor y = empty_image(image, rules.rows.out, rules.columns.out);
  scope.elementwise(y);
  if (y.numel() > 0) on_device(x.device(), [&](auto backend) { pool_kernel(backend, image, rules, y); });
  return y;
}

Tensor backward(const Tensor& grad, const PixelRules& rules, PixelPair size) {
  const OpScope scope("pool_backward", grad);
  const Tensor image = as_image(grad);
  Tensor grad_x = empty_image(image, size.height, size.width);
  scope.elementwise(grad_x);
  if (grad_x.numel() > 0)
    on_device(grad.device(), [&](auto backend) { pool_backward_kernel(backend, image, rules, grad_x); });
  return grad_x;
}

}  // namespace

Tensor avg_pool2d(const Tensor& x, const PoolWindow& window) {
  check_image("avg_pool2d", x);
  const auto& [kernel, stride, padding] = window;
  require<ValueError>(kernel.height > 0 && kernel.width > 0, "avg_pool2d: kernel must be positive ({} by {}); {}",
                      kernel.height, kernel.width, x);
  require<ValueError>(stride.height > 0 && stride.width > 0, "avg_pool2d: stride must be positive ({} by {}); {}",
                      stride.height, stride.width, x);
  require<ValueError>(padding.height >= 0 && padding.width >= 0 && 2 * padding.height <= kernel.height &&
                          2 * padding.width <= kernel.width,
                      "avg_pool2d: padding must be from 0 to half the kernel ({} by {}, kernel {} by {}); {}",
                      padding.height, padding.width, kernel.height, kernel.width, x);
  require<ShapeError>(x.size(2) + 2 * padding.height >= kernel.height && x.size(3) + 2 * padding.width >= kernel.width,
                      "avg_pool2d: input with padding must be as large as the kernel ({} by {}); {}", kernel.height,
                      kernel.width, x);
  return forward(x, window_rules(size_of(x), window));
}

Tensor avg_pool2d_backward(const Tensor& grad, const PoolWindow& window, PixelPair size) {
  return backward(grad, window_rules(size, window), size);
}

Tensor upsample_nearest(const Tensor& x, int64_t scale) {
  check_image("upsample_nearest", x);
  require<ValueError>(scale > 0, "upsample_nearest: scale must be positive ({}); {}", scale, x);
  return forward(x, repeat_rules(size_of(x), scale));
}

Tensor upsample_nearest_backward(const Tensor& grad, int64_t scale) {
  const PixelPair size{grad.size(2) / scale, grad.size(3) / scale};
  return backward(grad, repeat_rules(size, scale), size);
}

Tensor interpolate_nearest(const Tensor& x, PixelPair size) {
  check_size("interpolate_nearest", x, size);
  return forward(x, resize_rules(PixelRule::Kind::nearest, size_of(x), size));
}

Tensor interpolate_nearest_backward(const Tensor& grad, PixelPair size) {
  return backward(grad, resize_rules(PixelRule::Kind::nearest, size, size_of(grad)), size);
}

Tensor interpolate_area(const Tensor& x, PixelPair size) {
  check_size("interpolate_area", x, size);
  return forward(x, resize_rules(PixelRule::Kind::area, size_of(x), size));
}

Tensor interpolate_area_backward(const Tensor& grad, PixelPair size) {
  return backward(grad, resize_rules(PixelRule::Kind::area, size, size_of(grad)), size);
}

}  // namespace plumb
