#include "nn/layers/conv2d.h"

#include "autograd/ops/conv.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "engine/require.h"
#include "nn/layers/group_norm.h"

namespace plumb {

Conv2d::Conv2d(int64_t in_channels, int64_t out_channels, Size2d kernel, Init init, const Conv2dLayerOptions& options)
    : options_(options.conv), adapters_(in_channels * kernel.height * kernel.width, out_channels) {
  const int64_t groups = options_.groups;
  require<ValueError>(groups >= 1 && in_channels % groups == 0 && out_channels % groups == 0,
                      "Conv2d: channels must be multiples of groups ({} and {} channels, {} groups)", in_channels,
                      out_channels, groups);
  Tensor weight = init.allocate({out_channels, in_channels / groups, kernel.height, kernel.width}, options.dtype);
  init.kaiming_uniform(weight);
  weight_ = Parameter::of_kernels(weight);
  if (!options.bias) return;
  Tensor bias = init.allocate({out_channels}, options.dtype);
  init.fan_in_uniform(bias, in_channels / groups * kernel.height * kernel.width);
  bias_ = Parameter(std::move(bias));
}

Variable Conv2d::forward(const Variable& x) const {
  const Variable y = conv2d(x, weight_.variable(), bias_.variable(), options_);
  const Adapter* adapter = adapters_.active();
  return adapter ? add(y, delta(*adapter, x)) : y;
}

Variable Conv2d::forward_normalised(const Variable& x, const GroupNorm& norm) const {
  if (adapters_.active()) return forward(norm.forward(x));  // the adapter reads what lies between
  return group_norm_conv2d(x, {norm.weight().variable(), norm.bias().variable(), norm.options()},
                           {weight_.variable(), bias_.variable(), options_});
}

/// The adapter keeps its matrices as a Linear's, [rank, C KH KW] and [O, rank].
Variable Conv2d::delta(const Adapter& adapter, const Variable& x) const {
  const Shape& weight = weight_.shape();
  const int64_t rank = adapter.rank();
  const Variable down = reshape(adapter.down.variable(), {rank, weight[1], weight[2], weight[3]});
  const Variable up = reshape(adapter.up.variable(), {weight[0], rank, 1, 1});
  const Variable narrow = conv2d(x, down, {}, options_);
  return conv2d(adapter.scale() == 1 ? narrow : mul(narrow, adapter.scale()), up);
}

void Conv2d::visit(ModuleVisitor& visitor) {
  visitor("weight", weight_);
  visitor("bias", bias_);
  if (options_.groups == 1) visitor(adapters_);
}

}  // namespace plumb
