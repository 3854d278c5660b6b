#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/conv/conv2d_direct.h"
#include "engine/ops/conv/conv2d_kernels.h"
#include "engine/ops/layout/view.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/cuda_emulator/dnn.h"
#include "tests/support/cuda_emulator/product.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

constexpr DType kTypes[] = {DType::f32, DType::f64, DType::bf16, DType::f16};

double tolerance_of(DType dtype) { return dtype == DType::f64 ? 1e-12 : dtype == DType::f32 ? 1e-5 : 1e-2; }

int64_t output_size(int64_t input, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  return (input + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

ConvGeometry geometry(int64_t batch, int64_t in, int64_t out, Size2d input, Size2d kernel,
                      const Conv2dOptions& o = {}) {  // wide: a convolution in one line
  return {.batch = batch,
          .input = input,
          .output = {output_size(input.height, kernel.height, o.stride.height, o.padding.height, o.dilation.height),
                     output_size(input.width, kernel.width, o.stride.width, o.padding.width, o.dilation.width)},
          .kernel = kernel,
          .in_channels = in,
          .out_channels = out,
          .options = o};
}

// Odd sizes, strides that leave a rest, taps on padding alone, groups, depthwise, 1x1, one pixel, a single channel.
const ConvGeometry kGeometries[] = {
    geometry(2, 3, 5, {7, 6}, {3, 3}, {.padding = {1, 1}}),
    geometry(1, 4, 6, {8, 9}, {3, 2}, {.stride = {2, 3}, .padding = {2, 0}}),
    geometry(2, 6, 4, {9, 7}, {2, 3}, {.padding = {1, 2}, .dilation = {2, 3}, .groups = 2}),
    geometry(1, 4, 4, {5, 5}, {3, 3}, {.padding = {3, 3}, .groups = 4}),
    geometry(3, 5, 7, {4, 3}, {1, 1}),
    geometry(2, 5, 3, {5, 4}, {1, 1}, {.stride = {2, 2}}),
    geometry(1, 1, 1, {1, 1}, {1, 1}, {.padding = {1, 1}}),
};

struct Arrays {
  Tensor x, weight, bias, grad;
};

Arrays arrays_of(const ConvGeometry& g, DType dtype) {
  return {test::random_tensor({g.batch, g.input.height, g.input.width, g.in_channels}, 1, dtype),
          test::random_tensor({g.out_channels, g.kernel.height, g.kernel.width, g.group_in()}, 2, dtype),
          test::random_tensor({g.out_channels}, 3, dtype),
          test::random_tensor({g.batch, g.output.height, g.output.width, g.out_channels}, 4, dtype)};
}

/// Not a number, so that what a kernel leaves out shows.
Tensor poisoned(const Tensor& like) { return full(like.shape(), std::nan(""), like.dtype()); }

/// Calls compute(to) for a result like `like` and compares it with `expected`.
template <class F>
void check(const Tensor& like, const Tensor& expected, F&& compute) {
  Tensor actual = poisoned(like);
  compute(actual);
  CHECK(test::worst_error(actual, expected.to_vector<double>()) <= tolerance_of(like.dtype()));
}

/// All directions on the CPU in f64, from the very numbers that `a` holds.
struct Expected {
  Tensor y, y_without_bias, grad_x, grad_weight;
  Expected(const ConvGeometry& g, const Arrays& a)
      : y(empty(a.grad.shape(), DType::f64)),
        y_without_bias(empty(a.grad.shape(), DType::f64)),
        grad_x(empty(a.x.shape(), DType::f64)),
        grad_weight(empty(a.weight.shape(), DType::f64)) {
    const auto wide = [](const Tensor& x) { return x.to(DType::f64); };
    conv2d_kernel(Cpu{}, g, wide(a.x), wide(a.weight), wide(a.bias), y);
    conv2d_kernel(Cpu{}, g, wide(a.x), wide(a.weight), {}, y_without_bias);
    conv2d_backward_x_kernel(Cpu{}, g, wide(a.grad), wide(a.weight), grad_x);
    conv2d_backward_weight_kernel(Cpu{}, g, wide(a.grad), wide(a.x), grad_weight);
  }
};

void check_all(const ConvGeometry& g, const Arrays& a) {
  const Expected expected(g, a);
  check(a.grad, expected.y, [&](Tensor& y) { conv2d_kernel(Cuda{}, g, a.x, a.weight, a.bias, y); });
  check(a.grad, expected.y_without_bias, [&](Tensor& y) { conv2d_kernel(Cuda{}, g, a.x, a.weight, {}, y); });
  check(a.x, expected.grad_x, [&](Tensor& to) { conv2d_backward_x_kernel(Cuda{}, g, a.grad, a.weight, to); });
  check(a.weight, expected.grad_weight, [&](Tensor& to) { conv2d_backward_weight_kernel(Cuda{}, g, a.grad, a.x, to); });
}

}  // namespace

TEST_CASE("conv2d on cuda by plain sums: every direction, dtype and geometry") {
  for (const ConvGeometry& g : kGeometries)
    for (DType dtype : kTypes) {
      CAPTURE(&g - kGeometries);
      const Arrays a = arrays_of(g, dtype);
      const Expected expected(g, a);
      const auto run = [&] {
        check(a.grad, expected.y, [&](Tensor& y) { conv2d_direct(Cuda{}, g, a.x, a.weight, a.bias, y); });
        check(a.grad, expected.y_without_bias, [&](Tensor& y) { conv2d_direct(Cuda{}, g, a.x, a.weight, {}, y); });
        check(a.x, expected.grad_x, [&](Tensor& to) { conv2d_direct_backward_x(Cuda{}, g, a.grad, a.weight, to); });
        check(a.weight, expected.grad_weight,
              [&](Tensor& to) { conv2d_direct_backward_weight(Cuda{}, g, a.grad, a.x, to); });
      };
      dtype == DType::f32 ? test::in_both_orders(run) : run();
    }
}

TEST_CASE("conv2d on cuda as cuDNN and cuBLASLt are asked for it") {
  for (const ConvGeometry& g : kGeometries)
    for (DType dtype : kTypes) {
      CAPTURE(&g - kGeometries);
      const int problems = emulator::dnn_calls(), products = emulator::product_calls();
      check_all(g, arrays_of(g, dtype));
      const bool product =
          g.kernel == Size2d{1, 1} && g.options.stride == Size2d{1, 1} && g.options.padding == Size2d{0, 0};
      CHECK(emulator::product_calls() - products == (product ? 4 : 0));
      CHECK(emulator::dnn_calls() - problems == (product || dtype == DType::f64 ? 0 : 4));
    }
}

TEST_CASE("conv2d on cuda where cuDNN refuses the fused bias, or everything, or arrays that start in between") {
  const ConvGeometry g = kGeometries[0];
  for (DType dtype : {DType::f32, DType::bf16}) {
    const Arrays a = arrays_of(g, dtype);
    for (const auto refusal : {emulator::Refusal::fused_bias, emulator::Refusal::all}) {
      emulator::set_dnn_refusal(refusal);
      check_all(g, a);
    }
    emulator::set_dnn_refusal(emulator::Refusal::none);
    Arrays shifted;
    for (auto member : {&Arrays::x, &Arrays::weight, &Arrays::bias, &Arrays::grad}) {
      const Tensor& from = a.*member;
      Tensor longer = zeros({from.numel() + 1}, dtype);
      shifted.*member = reshape(slice(longer, 0, 1, from.numel() + 1), from.shape());
      (shifted.*member).copy_(from);
    }
    check_all(g, shifted);
  }
}

TEST_CASE("conv2d on cuda of no channels leaves the bias, and of no pictures has no gradient") {
  const ConvGeometry empty_channels = geometry(2, 0, 3, {4, 4}, {3, 3}, {.padding = {1, 1}});
  const ConvGeometry no_pictures = geometry(0, 2, 3, {4, 4}, {1, 1});
  for (DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    const Arrays a = arrays_of(empty_channels, dtype), b = arrays_of(no_pictures, dtype);
    Tensor y = poisoned(a.grad), grad_weight = poisoned(b.weight);
    conv2d_kernel(Cuda{}, empty_channels, a.x, a.weight, a.bias, y);
    for (int64_t i = 0; i < y.numel(); ++i)
      CHECK(y.to_vector<double>()[size_t(i)] == a.bias.to_vector<double>()[size_t(i % 3)]);
    conv2d_backward_weight_kernel(Cuda{}, no_pictures, b.grad, b.x, grad_weight);
    for (double each : grad_weight.to_vector<double>()) CHECK(each == 0);
  }
}

}  // namespace plumb
