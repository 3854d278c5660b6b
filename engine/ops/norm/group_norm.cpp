#include "engine/ops/norm/group_norm.h"

#include "engine/format.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/norm/group_norm_kernels.h"
#include "engine/profile/op_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

void check_parameter(const char* name, const Tensor& parameter, const Tensor& x) {
  if (!parameter.defined()) return;
  require<ShapeError>(parameter.shape() == Shape{x.shape()[1]}, "group_norm: {} must be [C] (C is {}); {} {}, x {}",
                      name, x.shape()[1], name, parameter, x);
  require<DTypeError>(parameter.dtype() == x.dtype(), "group_norm: operands must have one dtype; x {}, {} {}", x, name,
                      parameter);
}

void check(const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& o) {
  require<DTypeError>(is_floating(x.dtype()), "group_norm: takes floating tensors; {}", x);
  require<ShapeError>(x.rank() >= 2 && x.shape()[1] >= 1, "group_norm: x must be [N, C, ...]; {}", x);
  require<ValueError>(o.groups >= 1, "group_norm: groups must be at least 1 ({})", o.groups);
  require<ShapeError>(x.shape()[1] % o.groups == 0, "group_norm: channels must be a multiple of groups ({}); {}",
                      o.groups, x);
  require<ValueError>(o.eps >= 0, "group_norm: eps must not be negative ({})", o.eps);
  check_parameter("weight", weight, x);
  check_parameter("bias", bias, x);
}

bool channels_innermost(const Tensor& x) { return x.is_channels_last() && !x.is_contiguous(); }

/// [N, C, ...] as [N, P, C], a view where x is contiguous or channels-last. `like` says in which of the two orders.
Tensor pixels_first(const Tensor& x, const Tensor& like) {
  const int64_t batch = x.shape()[0], channels = x.shape()[1];
  const int64_t pixels = batch * channels == 0 ? 0 : x.numel() / (batch * channels);
  if (channels_innermost(like)) return reshape(permute(x, {0, 2, 3, 1}).contiguous(), {batch, pixels, channels});
  if (pixels == 1) return reshape(x.contiguous(), {batch, 1, channels});
  return permute(reshape(x.contiguous(), {batch, channels, pixels}), {0, 2, 1});
}

/// An empty tensor like x, in its memory order where x is channels-last, else contiguous.
Tensor empty_pixels(const Tensor& x) {
  const Shape& s = x.shape();
  if (!channels_innermost(x)) return empty(s, x.dtype(), x.device());
  return permute(empty({s[0], s[2], s[3], s[1]}, x.dtype(), x.device()), {0, 3, 1, 2});
}

Tensor wide(const Tensor& parameter, DType dtype) {
  return parameter.defined() ? parameter.to(acc_dtype(dtype)).contiguous() : parameter;
}

}  // namespace

GroupNormResult group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const GroupNormOptions& options) {
  const OpScope scope("group_norm", x, weight, bias);
  check(x, weight, bias, options);
  const Tensor y = empty_pixels(x);
  GroupNormResult out{pixels_first(y, x), empty({2, x.shape()[0], options.groups}, acc_dtype(x.dtype()), x.device())};
  scope.elementwise(y, 8);  // mean 1, variance 3, normalise 2, scale and shift 2
  if (x.numel() > 0)
    on_device(x.device(), [&](auto backend) {
      group_norm_kernel(backend, pixels_first(x, x), wide(weight, x.dtype()), wide(bias, x.dtype()), options, out);
    });
  out.y = y;
  return out;
}

Tensor group_norm_again(const GroupNormSaved& saved, const GroupNormOptions& options) {
  const OpScope scope("group_norm_again", saved.x, saved.weight, saved.bias);
  const auto& [x, statistics, weight, bias] = saved;
  check(x, weight, bias, options);
  const Tensor y = empty_pixels(x);
  Tensor rows = pixels_first(y, x);
  scope.elementwise(y, 4);
  const GroupNormSaved inputs{pixels_first(x, x), statistics, wide(weight, x.dtype()), wide(bias, x.dtype())};
  if (x.numel() > 0)
    on_device(x.device(), [&](auto backend) { group_norm_again_kernel(backend, inputs, options, rows); });
  return y;
}

GroupNormGrads group_norm_backward(const Tensor& grad, const GroupNormSaved& saved, const GroupNormOptions& options,
                                   GroupNormWanted wanted) {
  const OpScope scope("group_norm_backward", grad, saved.x, saved.weight);
  const auto& [x, statistics, weight, bias] = saved;
  check(x, weight, bias, options);
  require<ShapeError>(grad.shape() == x.shape(), "group_norm_backward: grad must be like x; {} and {}", grad, x);
  require<DTypeError>(grad.dtype() == x.dtype(), "group_norm_backward: grad must be like x; {} and {}", grad, x);
  const Tensor rows = pixels_first(x, x), up = pixels_first(grad, x), grad_x = wanted.x ? empty_pixels(x) : Tensor();
  const Shape channels = {x.shape()[1]};
  const DType acc = acc_dtype(x.dtype());
  GroupNormGrads grads;
  if (wanted.x) grads.x = pixels_first(grad_x, x);
  if (wanted.weight) grads.weight = zeros(channels, acc, x.device());
  if (wanted.bias) grads.bias = zeros(channels, acc, x.device());
  scope.writes(grads.x);
  scope.flops(14 * x.numel());
  const GroupNormSaved inputs{rows, statistics, wide(weight, x.dtype()), wide(bias, x.dtype())};
  if (rows.numel() > 0)
    on_device(x.device(), [&](auto backend) { group_norm_backward_kernel(backend, up, inputs, options, grads); });
  grads.x = grad_x;
  if (wanted.weight) grads.weight = grads.weight.to(x.dtype());
  if (wanted.bias) grads.bias = grads.bias.to(x.dtype());
  return grads;
}

}  // namespace plumb
