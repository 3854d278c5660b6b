#include "nn/layers/linear.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "autograd/ops/linalg.h"
#include "engine/ops/elementwise/activate.h"

namespace plumb {

Linear::Linear(int64_t in_features, int64_t out_features, Init init, const LinearOptions& options)
    : adapters_(in_features, out_features) {
  Tensor weight = init.allocate({out_features, in_features}, options.dtype);
  init.kaiming_uniform(weight);
  weight_ = Parameter(std::move(weight));
  if (!options.bias) return;
  Tensor bias = init.allocate({out_features}, options.dtype);
  init.fan_in_uniform(bias, in_features);
  bias_ = Parameter(std::move(bias));
}

Variable Linear::forward(const Variable& x) const {
  const Variable y = linear(x, weight_.variable(), bias_.variable());
  const Adapter* adapter = adapters_.active();
  return adapter ? add(y, adapter->delta(x)) : y;
}

Variable Linear::forward(const Variable& x, FusedActivation activation) const {
  if (!adapters_.active()) return linear_act(x, weight_.variable(), bias_.variable(), activation);
  return activate(forward(x), activation);
}

Variable Linear::forward(std::span<const Variable> parts, FusedActivation activation) const {
  if (!adapters_.active()) return linear_act(parts, weight_.variable(), bias_.variable(), activation);
  return forward(cat(parts, -1), activation);
}

void Linear::visit(ModuleVisitor& visitor) {
  visitor("weight", weight_);
  visitor("bias", bias_);
  visitor(adapters_);
}

}  // namespace plumb
