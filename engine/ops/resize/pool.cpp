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

std::vector<PixelRun> window_runs(int64_t in, int64_t kernel, int64_t stride, int64_t padding) {
  std::vector<PixelRun> runs;
  for (int64_t i = 0; i < pooled_size(in, kernel, stride, padding); ++i) {
    const int64_t first = i * stride - padding;
    runs.push_back({std::max<int64_t>(first, 0), std::min(first + kernel, in), kernel});
  }
  return runs;
}

PixelRuns window_runs(PixelPair in, const PoolWindow& w) {
  return {window_runs(in.height, w.kernel.height, w.stride.height, w.padding.height),
          window_runs(in.width, w.kernel.width, w.stride.width, w.padding.width)};
}

std::vector<PixelRun> repeat_runs(int64_t in, int64_t scale) {
  std::vector<PixelRun> runs;
  for (int64_t i = 0; i < in * scale; ++i) runs.push_back({i / scale, i / scale + 1, 1});
  return runs;
}

std::vector<PixelRun> nearest_runs(int64_t in, int64_t out) {
  const float scale = float(in) / float(out);
  std::vector<PixelRun> runs;
  for (int64_t i = 0; i < out; ++i) {
    const int64_t from = std::min(int64_t(float(i) * scale), in - 1);
    runs.push_back({from, from + 1, 1});
  }
  return runs;
}

std::vector<PixelRun> area_runs(int64_t in, int64_t out) {
  std::vector<PixelRun> runs;
  for (int64_t i = 0; i < out; ++i) {
    const int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
    runs.push_back({begin, end, end - begin});
  }
  return runs;
}

Tensor forward(const Tensor& x, const PixelRuns& runs) {
  const OpScope scope("pool", x);
  const Tensor image = as_image(x);
  Tensor y = empty_image(image, int64_t(runs.rows.size()), int64_t(runs.columns.size()));
  scope.elementwise(y);
  if (y.numel() > 0) on_device(x.device(), [&](auto backend) { pool_kernel(backend, image, runs, y); });
  return y;
}

Tensor backward(const Tensor& grad, const PixelRuns& runs, PixelPair size) {
  const OpScope scope("pool_backward", grad);
  const Tensor image = as_image(grad);
  Tensor grad_x = empty_image(image, size.height, size.width);
  scope.elementwise(grad_x);
  if (grad_x.numel() > 0)
    on_device(grad.device(), [&](auto backend) { pool_backward_kernel(backend, image, runs, grad_x); });
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
  return forward(x, window_runs({x.size(2), x.size(3)}, window));
}

Tensor avg_pool2d_backward(const Tensor& grad, const PoolWindow& window, PixelPair size) {
  return backward(grad, window_runs(size, window), size);
}

Tensor upsample_nearest(const Tensor& x, int64_t scale) {
  check_image("upsample_nearest", x);
  require<ValueError>(scale > 0, "upsample_nearest: scale must be positive ({}); {}", scale, x);
  return forward(x, {repeat_runs(x.size(2), scale), repeat_runs(x.size(3), scale)});
}

Tensor upsample_nearest_backward(const Tensor& grad, int64_t scale) {
  const PixelPair size{grad.size(2) / scale, grad.size(3) / scale};
  return backward(grad, {repeat_runs(size.height, scale), repeat_runs(size.width, scale)}, size);
}

Tensor interpolate_nearest(const Tensor& x, PixelPair size) {
  check_size("interpolate_nearest", x, size);
  return forward(x, {nearest_runs(x.size(2), size.height), nearest_runs(x.size(3), size.width)});
}

Tensor interpolate_nearest_backward(const Tensor& grad, PixelPair size) {
  return backward(grad, {nearest_runs(size.height, grad.size(2)), nearest_runs(size.width, grad.size(3))}, size);
}

Tensor interpolate_area(const Tensor& x, PixelPair size) {
  check_size("interpolate_area", x, size);
  return forward(x, {area_runs(x.size(2), size.height), area_runs(x.size(3), size.width)});
}

Tensor interpolate_area_backward(const Tensor& grad, PixelPair size) {
  return backward(grad, {area_runs(size.height, grad.size(2)), area_runs(size.width, grad.size(3))}, size);
}

}  // namespace plumb
