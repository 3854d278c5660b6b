#include "engine/ops/conv/conv2d.h"

#include "engine/format.h"
#include "engine/ops/conv/conv2d_kernels.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/reduce/sum.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check_options(const Conv2dOptions& o) {
  require<ValueError>(o.stride.height >= 1 && o.stride.width >= 1, "conv2d: stride must be at least 1 ({}, {})",
                      o.stride.height, o.stride.width);
  require<ValueError>(o.padding.height >= 0 && o.padding.width >= 0, "conv2d: padding must not be negative ({}, {})",
                      o.padding.height, o.padding.width);
  require<ValueError>(o.dilation.height >= 1 && o.dilation.width >= 1, "conv2d: dilation must be at least 1 ({}, {})",
                      o.dilation.height, o.dilation.width);
  require<ValueError>(o.groups >= 1, "conv2d: groups must be at least 1 ({})", o.groups);
}

int64_t output_size(int64_t input, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  const int64_t span = input + 2 * padding - dilation * (kernel - 1) - 1;
  return span < 0 ? -1 : span / stride + 1;
}

ConvGeometry check_shapes(const Shape& x, const Shape& weight, const Conv2dOptions& o) {
  check_options(o);
  require<ShapeError>(x.rank() == 4 && weight.rank() == 4,
                      "conv2d: x must be [N, C, H, W] and weight [O, C/groups, KH, KW]; x {}, weight {}", x, weight);
  require<ShapeError>(x[1] == weight[1] * o.groups && weight[0] % o.groups == 0,
                      "conv2d: weight must have C/groups input channels and a multiple of groups ({}) output channels; "
                      "x {}, weight {}",
                      o.groups, x, weight);
  require<ShapeError>(weight[2] >= 1 && weight[3] >= 1, "conv2d: the kernel must not be empty; weight {}", weight);
  ConvGeometry g{.batch = x[0],
                 .input = {x[2], x[3]},
                 .output = {output_size(x[2], weight[2], o.stride.height, o.padding.height, o.dilation.height),
                            output_size(x[3], weight[3], o.stride.width, o.padding.width, o.dilation.width)},
                 .kernel = {weight[2], weight[3]},
                 .in_channels = x[1],
                 .out_channels = weight[0],
                 .options = o};
  require<ShapeError>(g.output.height >= 1 && g.output.width >= 1,
                      "conv2d: the kernel is larger than the padded picture; x {}, weight {}, padding ({}, {}), "
                      "dilation ({}, {})",
                      x, weight, o.padding.height, o.padding.width, o.dilation.height, o.dilation.width);
  return g;
}

void check_types(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  require<DTypeError>(is_floating(x.dtype()), "conv2d: takes floating tensors; {}", x);
  require<DTypeError>(x.dtype() == weight.dtype() && (!bias.defined() || bias.dtype() == x.dtype()),
                      "conv2d: operands must have one dtype; x {}, weight {}, bias {}", x, weight, bias);
}

/// [N, C, H, W] as contiguous [N, H, W, C] in the type that kernels take: on the CPU the one that is computed in, on
/// CUDA its own. A channels-last tensor is not copied.
Tensor channels_inside(const Tensor& x) {
  const DType dtype = x.device().is_cuda() ? x.dtype() : acc_dtype(x.dtype());
  return permute(x.to(dtype), {0, 2, 3, 1}).contiguous();
}

/// And back, in the memory order of `like` and in its type.
Tensor channels_outside(const Tensor& y, const Tensor& like) {
  const Tensor picture = permute(y, {0, 3, 1, 2}).to(like.dtype());
  return like.is_contiguous() ? picture.contiguous() : picture;
}

/// The same in all three directions; taps that fall on padding count too.
int64_t flops_of(const ConvGeometry& g) {
  return 2 * g.batch * g.output.height * g.output.width * g.out_channels * g.kernel.height * g.kernel.width *
         g.group_in();
}

void check_grad(const Tensor& grad, const ConvGeometry& g) {
  require<ShapeError>(grad.shape() == Shape{g.batch, g.out_channels, g.output.height, g.output.width},
                      "conv2d_backward: grad must be [{}, {}, {}, {}]; {}", g.batch, g.out_channels, g.output.height,
                      g.output.width, grad);
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  const OpScope scope("conv2d", x, weight, bias);
  check_types(x, weight, bias);
  const ConvGeometry g = check_shapes(x.shape(), weight.shape(), options);
  require<ShapeError>(!bias.defined() || bias.shape() == Shape{g.out_channels},
                      "conv2d: bias must be [O] (O is {}); bias {}", g.out_channels, bias);
  const Tensor input = channels_inside(x), bank = channels_inside(weight);
  const Tensor offset = bias.defined() ? bias.to(input.dtype()).contiguous() : bias;
  Tensor y = empty({g.batch, g.output.height, g.output.width, g.out_channels}, input.dtype(), x.device());
  scope.writes(y);
  scope.flops(flops_of(g));
  if (y.numel() > 0) on_device(x.device(), [&](auto backend) { conv2d_kernel(backend, g, input, bank, offset, y); });
  return channels_outside(y, x);
}

Tensor conv2d_backward_x(const Tensor& grad, const Tensor& weight, const Shape& x_shape, const Conv2dOptions& options) {
  const OpScope scope("conv2d_backward_x", grad, weight);
  check_types(grad, weight, {});
  const ConvGeometry g = check_shapes(x_shape, weight.shape(), options);
  check_grad(grad, g);
  const Tensor rows = channels_inside(grad), bank = channels_inside(weight);
  Tensor grad_x = empty({g.batch, g.input.height, g.input.width, g.in_channels}, rows.dtype(), grad.device());
  scope.writes(grad_x);
  scope.flops(flops_of(g));
  if (grad_x.numel() > 0)
    on_device(grad.device(), [&](auto backend) { conv2d_backward_x_kernel(backend, g, rows, bank, grad_x); });
  return channels_outside(grad_x, grad);
}

Tensor conv2d_backward_weight(const Tensor& grad, const Tensor& x, const Shape& weight_shape,
                              const Conv2dOptions& options) {
  const OpScope scope("conv2d_backward_weight", grad, x);
  check_types(grad, x, {});
  const ConvGeometry g = check_shapes(x.shape(), weight_shape, options);
  check_grad(grad, g);
  const Tensor rows = channels_inside(grad), input = channels_inside(x);
  Tensor bank = empty({g.out_channels, g.kernel.height, g.kernel.width, g.group_in()}, rows.dtype(), grad.device());
  scope.writes(bank);
  scope.flops(flops_of(g));
  if (bank.numel() > 0)
    on_device(grad.device(), [&](auto backend) { conv2d_backward_weight_kernel(backend, g, rows, input, bank); });
  return permute(bank, {0, 3, 1, 2}).to(grad.dtype());
}

Tensor conv2d_backward_bias(const Tensor& grad) {
  require<ShapeError>(grad.rank() == 4, "conv2d_backward_bias: grad must be [N, O, OH, OW]; {}", grad);
  return sum(grad, {0, 2, 3});
}

}  // namespace plumb
