#pragma once

#include "engine/backend.h"
#include "engine/host_device.h"
#include "engine/tensor.h"

// x: [N, C, H, W], y: [N, C, H', W'], each contiguous or channels-last, of one dtype. Nothing is empty.

namespace plumb {

/// Input pixels begin … end - 1 of an output pixel along one dimension; begin < end unless it sees padding alone.
struct PixelRun {
  int64_t begin, end;
  int64_t divisor;  // 1 / its share of the mean
};

/// Which input pixels an output pixel sees, along one dimension of `in` and `out` pixels. begin and end never fall from
/// an output pixel to the next.
struct PixelRule {
  enum class Kind : uint8_t { window, repeat, nearest, area };
  Kind kind;
  int64_t in, out;
  int64_t kernel = 1, stride = 1, padding = 0;  // window; repeat: the scale is `stride`

  PLUMB_HOST_DEVICE PixelRun operator()(int64_t i) const {
    switch (kind) {
      case Kind::window: {
        const int64_t first = i * stride - padding, end = first + kernel;
        return {first > 0 ? first : 0, end < in ? end : in, kernel};
      }
      case Kind::repeat:
        return {i / stride, i / stride + 1, 1};
      case Kind::nearest: {
        const int64_t from = int64_t(float(i) * (float(in) / float(out)));
        const int64_t pixel = from < in - 1 ? from : in - 1;
        return {pixel, pixel + 1, 1};
      }
      case Kind::area:
        break;
    }
    const int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
    return {begin, end, end - begin};
  }
};
struct PixelRules {
  PixelRule rows, columns;
};

/// y = sum over the rectangle / (row divisor * column divisor).
void pool_kernel(Cpu, const Tensor& x, const PixelRules& rules, Tensor& y);
/// Fills grad_x.
void pool_backward_kernel(Cpu, const Tensor& grad, const PixelRules& rules, Tensor& grad_x);

// The same on CUDA.
void pool_kernel(Cuda cuda, const Tensor& x, const PixelRules& rules, Tensor& y);
void pool_backward_kernel(Cuda cuda, const Tensor& grad, const PixelRules& rules, Tensor& grad_x);

}  // namespace plumb
