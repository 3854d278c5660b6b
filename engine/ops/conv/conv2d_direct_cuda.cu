// A thread an element of y or of x's gradient, which it sums in a fixed order; neighbours in a warp are neighbouring
// channels, so that they read the weights, or the picture, together. An element of the weight's gradient is a sum over
// all pictures and pixels and takes a block, or several (sum_rows). Sums in double for f64, else in float.

#include "engine/cuda/element.cuh"
#include "engine/cuda/sums.cuh"
#include "engine/ops/conv/conv2d_direct.h"

namespace plumb {
namespace {

/// The geometry as plain numbers, for the device.
struct Sizes {
  int64_t batch, h, w, c, oh, ow, o, kh, kw, group_in, group_out;
  int64_t stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w;
};

Sizes sizes_of(const ConvGeometry& g) {
  const Conv2dOptions& o = g.options;
  return {g.batch,        g.input.height,   g.input.width,   g.in_channels,     g.output.height, g.output.width,
          g.out_channels, g.kernel.height,  g.kernel.width,  g.group_in(),      g.group_out(),   o.stride.height,
          o.stride.width, o.padding.height, o.padding.width, o.dilation.height, o.dilation.width};
}

/// Splits off the innermost index.
__device__ inline int64_t take(int64_t& rest, int64_t size) {
  const int64_t quotient = rest / size, index = rest - quotient * size;
  rest = quotient;
  return index;
}

template <class A>
struct Operands {
  const void *x, *weight, *y, *bias;
  DType dtype;
};

template <class A>
__global__ void forward(Operands<A> in, Sizes s, int64_t count, void* y) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    int64_t rest = i;
    const int64_t o = take(rest, s.o), left = take(rest, s.ow) * s.stride_w - s.padding_w,
                  top = take(rest, s.oh) * s.stride_h - s.padding_h, first = o / s.group_out * s.group_in;
    A sum = A(0);
    for (int64_t u = 0; u < s.kh; ++u)
      for (int64_t v = 0; v < s.kw; ++v) {
        const int64_t row = top + u * s.dilation_h, column = left + v * s.dilation_w;
        if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
        const int64_t pixel = ((rest * s.h + row) * s.w + column) * s.c + first;
        const int64_t tap = ((o * s.kh + u) * s.kw + v) * s.group_in;
        for (int64_t c = 0; c < s.group_in; ++c)
          sum += load_element<A>(in.x, in.dtype, pixel + c) * load_element<A>(in.weight, in.dtype, tap + c);
      }
    store_element(y, in.dtype, i, in.bias ? sum + load_element<A>(in.bias, in.dtype, o) : sum);
  }
}

/// The output position that reads `position` through tap `tap`; -1: none.
__device__ inline int64_t reader_of(int64_t position, int64_t padding, int64_t stride, int64_t count) {
  const int64_t shifted = position + padding;
  if (shifted < 0 || shifted % stride != 0 || shifted / stride >= count) return -1;
  return shifted / stride;
}

template <class A>
__global__ void backward_x(Operands<A> in, Sizes s, int64_t count, void* grad_x) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    int64_t rest = i;
    const int64_t c = take(rest, s.c), column = take(rest, s.w), row = take(rest, s.h), group = c / s.group_in;
    A sum = A(0);
    for (int64_t u = 0; u < s.kh; ++u)
      for (int64_t v = 0; v < s.kw; ++v) {
        const int64_t out_row = reader_of(row - u * s.dilation_h, s.padding_h, s.stride_h, s.oh);
        const int64_t out_column = reader_of(column - v * s.dilation_w, s.padding_w, s.stride_w, s.ow);
        if (out_row < 0 || out_column < 0) continue;
        const int64_t pixel = ((rest * s.oh + out_row) * s.ow + out_column) * s.o;
        for (int64_t o = group * s.group_out; o < (group + 1) * s.group_out; ++o)
          sum += load_element<A>(in.y, in.dtype, pixel + o) *
                 load_element<A>(in.weight, in.dtype, ((o * s.kh + u) * s.kw + v) * s.group_in + c % s.group_in);
      }
    store_element(grad_x, in.dtype, i, sum);
  }
}

/// What output pixel `pixel` adds to the gradient of weight `weight`.
template <class A>
struct WeightTerm {
  Operands<A> in;
  Sizes s;
  __device__ A operator()(int64_t weight, int64_t pixel) const {
    int64_t rest = pixel;
    const int64_t out_column = take(rest, s.ow), out_row = take(rest, s.oh), c = take(weight, s.group_in),
                  column = out_column * s.stride_w - s.padding_w + take(weight, s.kw) * s.dilation_w,
                  row = out_row * s.stride_h - s.padding_h + take(weight, s.kh) * s.dilation_h;
    if (row < 0 || row >= s.h || column < 0 || column >= s.w) return A(0);
    const int64_t o = weight, channel = o / s.group_out * s.group_in + c;
    return load_element<A>(in.y, in.dtype, pixel * s.o + o) *
           load_element<A>(in.x, in.dtype, ((rest * s.h + row) * s.w + column) * s.c + channel);
  }
};

struct StoreAs {
  void* out;
  DType dtype;
  template <class A>
  __device__ void operator()(int64_t i, A sum) const {
    store_element(out, dtype, i, sum);
  }
};

const void* data_of(const Tensor& x) { return x.defined() ? x.raw_data() : nullptr; }

template <class F>
void with_sum_type(DType dtype, F&& f) {
  dtype == DType::f64 ? f.template operator()<double>() : f.template operator()<float>();
}

}  // namespace

void conv2d_direct(Cuda cuda, const ConvGeometry& geometry, const Tensor& x, const Tensor& weight, const Tensor& bias,
                   Tensor& y) {
  with_sum_type(x.dtype(), [&]<class A>() {
    launch("conv2d", cuda, grid_for(y.numel()), forward<A>,
           Operands<A>{data_of(x), data_of(weight), nullptr, data_of(bias), x.dtype()}, sizes_of(geometry), y.numel(),
           y.raw_mutable_data());
  });
}

void conv2d_direct_backward_x(Cuda cuda, const ConvGeometry& geometry, const Tensor& grad, const Tensor& weight,
                              Tensor& grad_x) {
  with_sum_type(grad.dtype(), [&]<class A>() {
    launch("conv2d_backward_x", cuda, grid_for(grad_x.numel()), backward_x<A>,
           Operands<A>{nullptr, data_of(weight), data_of(grad), nullptr, grad.dtype()}, sizes_of(geometry),
           grad_x.numel(), grad_x.raw_mutable_data());
  });
}

void conv2d_direct_backward_weight(Cuda cuda, const ConvGeometry& geometry, const Tensor& grad, const Tensor& x,
                                   Tensor& grad_weight) {
  const int64_t pixels = geometry.batch * geometry.output.height * geometry.output.width;
  with_sum_type(grad.dtype(), [&]<class A>() {
    const WeightTerm<A> term{{data_of(x), nullptr, data_of(grad), nullptr, grad.dtype()}, sizes_of(geometry)};
    sum_rows<A>("conv2d_backward_weight", cuda, grad.device(), grad_weight.numel(), pixels, term,
                StoreAs{grad_weight.raw_mutable_data(), grad.dtype()});
  });
}

}  // namespace plumb
