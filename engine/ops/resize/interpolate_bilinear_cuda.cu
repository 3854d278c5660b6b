// Bilinear resizing on CUDA: one thread an output element. Backward gathers: a thread adds up the output pixels that
// were blended from its own, found by bisection since they move one way, in the CPU's order. Sums in Acc<T>.

#include "engine/cuda/launch.cuh"
#include "engine/ops/reduce/convert.h"
#include "engine/ops/resize/interpolate_bilinear_kernels.h"

namespace plumb {
namespace {

struct Image {
  int64_t channels, height, width;
  int64_t strides[4];
  __device__ int64_t at(int64_t plane, int64_t row, int64_t column) const {
    return plane / channels * strides[0] + plane % channels * strides[1] + row * strides[2] + column * strides[3];
  }
};

Image image_of(const Tensor& x) {
  const Strides& s = x.strides();
  return {x.size(1), x.size(2), x.size(3), {s[0], s[1], s[2], s[3]}};
}

/// y: dense planes of height by width.
template <class T>
__global__ void bilinear_forward(Image from, int64_t height, int64_t width, int64_t count, const T* x, T* y) {
  using A = Acc<T>;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t plane = i / width / height;
    const Blend<A> v = blend_of<A>(i / width % height, from.height, height),
                   h = blend_of<A>(i % width, from.width, width);
    const auto along = [&](int64_t row) {
      return (A(1) - h.weight) * load_as<A>(x[from.at(plane, row, h.first)]) +
             h.weight * load_as<A>(x[from.at(plane, row, h.second)]);
    };
    y[i] = store_as<T>((A(1) - v.weight) * along(v.first) + v.weight * along(v.second));
  }
}

/// The first of `out` outputs whose first input is at least `p`.
template <class A>
__device__ int64_t first_output(int64_t p, int64_t in, int64_t out) {
  int64_t begin = 0, end = out;
  while (begin < end) {
    const int64_t middle = (begin + end) / 2;
    blend_of<A>(middle, in, out).first >= p ? end = middle : begin = middle + 1;
  }
  return begin;
}

/// grad_x: dense planes of height by width.
template <class T>
__global__ void bilinear_backward(Image from, int64_t height, int64_t width, int64_t count, const T* grad, T* grad_x) {
  using A = Acc<T>;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t plane = i / width / height, row = i / width % height, column = i % width;
    // Blended from a pixel are the outputs whose first input it is, or the one before it.
    const int64_t top = first_output<A>(row - 1, height, from.height),
                  bottom = first_output<A>(row + 1, height, from.height),
                  left = first_output<A>(column - 1, width, from.width),
                  right = first_output<A>(column + 1, width, from.width);
    A sum = A(0);
    for (int64_t j = top; j < bottom; ++j) {
      const Blend<A> v = blend_of<A>(j, height, from.height);
      for (int64_t k = left; k < right; ++k) {
        const Blend<A> h = blend_of<A>(k, width, from.width);
        const A g = load_as<A>(grad[from.at(plane, j, k)]), near = (A(1) - h.weight) * g, far = h.weight * g;
        const auto add = [&](bool hit, A share) {
          if (!hit) return;
          if (h.first == column) sum += share * near;
          if (h.second == column) sum += share * far;
        };
        add(v.first == row, A(1) - v.weight);
        add(v.second == row, v.weight);
      }
    }
    grad_x[i] = store_as<T>(sum);
  }
}

}  // namespace

void interpolate_bilinear_kernel(Cuda cuda, const Tensor& x, Tensor& y) {
  visit_dtype(Floats{}, x.dtype(), "interpolate_bilinear", [&]<class T>() {
    launch("interpolate_bilinear", cuda, grid_for(y.numel()), bilinear_forward<T>, image_of(x), y.size(2), y.size(3),
           y.numel(), x.data<T>(), y.mutable_data<T>());
  });
}

void interpolate_bilinear_backward_kernel(Cuda cuda, const Tensor& grad, Tensor& grad_x) {
  visit_dtype(Floats{}, grad.dtype(), "interpolate_bilinear_backward", [&]<class T>() {
    launch("interpolate_bilinear_backward", cuda, grid_for(grad_x.numel()), bilinear_backward<T>, image_of(grad),
           grad_x.size(2), grad_x.size(3), grad_x.numel(), grad.data<T>(), grad_x.mutable_data<T>());
  });
}

}  // namespace plumb
