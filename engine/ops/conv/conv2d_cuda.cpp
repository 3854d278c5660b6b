// Who does a convolution on CUDA: a 1x1 kernel is a matrix product over the pixels (cuBLASLt); everything else in f32
// and the 16-bit floats is cuDNN's, without its fused bias where it has no plan with one; f64, and what cuDNN has no
// plan for, go by plain sums.

#include "engine/cuda/dnn/dnn.h"
#include "engine/cuda/product.h"
#include "engine/ops/conv/conv2d_direct.h"
#include "engine/ops/conv/conv2d_kernels.h"

namespace plumb {
namespace {

/// Where cuDNN expects arrays to start.
Tensor aligned(const Tensor& x) {
  if (!x.defined() || reinterpret_cast<uintptr_t>(x.raw_data()) % 16 == 0) return x;
  return x.clone();
}

void* pointer(const Tensor& x) { return const_cast<void*>(x.raw_data()); }

bool is_product(const ConvGeometry& g) {
  const Conv2dOptions& o = g.options;
  return g.kernel == Size2d{1, 1} && o.stride == Size2d{1, 1} && o.padding == Size2d{0, 0} && o.groups == 1 &&
         g.in_channels > 0;
}

int64_t pixels_of(const ConvGeometry& g) { return g.batch * g.output.height * g.output.width; }

ProductTypes types_of(const Tensor& x) { return {x.dtype(), x.dtype()}; }

/// A row-major matrix of all of `x`, or its transpose.
ProductOperand matrix(const Tensor& x, int64_t columns, bool transposed) { return {pointer(x), columns, transposed}; }

bool by_cudnn(const char* op, Cuda cuda, DnnConvolution problem, const DnnConvolutionData& data) {
  const ConvGeometry& g = problem.geometry;
  if (problem.dtype == DType::f64 || g.batch == 0 || g.in_channels == 0) return false;
  return dnn_convolution(op, cuda, problem, data);
}

}  // namespace

void conv2d_kernel(Cuda cuda, const ConvGeometry& g, const Tensor& x, const Tensor& weight, const Tensor& bias,
                   Tensor& y) {
  if (is_product(g)) {
    const bool fused = bias.defined() && product_adds_bias(x.dtype());
    matrix_product("conv2d", cuda, types_of(x), {pixels_of(g), g.out_channels, g.in_channels},
                   matrix(x, g.in_channels, false), matrix(weight, g.in_channels, true),
                   {.bias = fused ? pointer(bias) : nullptr}, pointer(y));
    if (bias.defined() && !fused) y.add_(bias);
    return;
  }
  const Tensor input = aligned(x), bank = aligned(weight), offset = aligned(bias);
  DnnConvolution problem{ConvolutionPass::forward, x.dtype(), g, bias.defined()};
  if (by_cudnn("conv2d", cuda, problem,
               {pointer(input), pointer(bank), pointer(y), bias.defined() ? pointer(offset) : nullptr}))
    return;
  problem.has_bias = false;
  if (bias.defined() && by_cudnn("conv2d", cuda, problem, {pointer(input), pointer(bank), pointer(y)})) {
    y.add_(bias);
    return;
  }
  conv2d_direct(cuda, g, x, weight, bias, y);
}

void conv2d_backward_x_kernel(Cuda cuda, const ConvGeometry& g, const Tensor& grad, const Tensor& weight,
                              Tensor& grad_x) {
  if (is_product(g))
    return matrix_product("conv2d_backward_x", cuda, types_of(grad), {pixels_of(g), g.in_channels, g.out_channels},
                          matrix(grad, g.out_channels, false), matrix(weight, g.in_channels, false), {},
                          pointer(grad_x));
  const Tensor upstream = aligned(grad), bank = aligned(weight);
  if (!by_cudnn("conv2d_backward_x", cuda, {ConvolutionPass::backward_x, grad.dtype(), g},
                {pointer(grad_x), pointer(bank), pointer(upstream)}))
    conv2d_direct_backward_x(cuda, g, grad, weight, grad_x);
}

void conv2d_backward_weight_kernel(Cuda cuda, const ConvGeometry& g, const Tensor& grad, const Tensor& x,
                                   Tensor& grad_weight) {
  if (is_product(g) && pixels_of(g) > 0)
    return matrix_product("conv2d_backward_weight", cuda, types_of(grad), {g.out_channels, g.in_channels, pixels_of(g)},
                          matrix(grad, g.out_channels, true), matrix(x, g.in_channels, false), {},
                          pointer(grad_weight));
  const Tensor upstream = aligned(grad), input = aligned(x);
  if (!by_cudnn("conv2d_backward_weight", cuda, {ConvolutionPass::backward_weight, grad.dtype(), g},
                {pointer(input), pointer(grad_weight), pointer(upstream)}))
    conv2d_direct_backward_weight(cuda, g, grad, x, grad_weight);
}

}  // namespace plumb
