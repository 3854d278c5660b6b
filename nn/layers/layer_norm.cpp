#include "nn/layers/layer_norm.h"

#include "autograd/ops/norm.h"

namespace plumb {

LayerNorm::LayerNorm(const Shape& normalized, const LayerNormOptions& options)
    : normalized_(normalized), eps_(options.eps) {
  if (!options.affine) return;
  weight_ = Parameter(ones(normalized, options.dtype));
  if (options.bias) bias_ = Parameter(zeros(normalized, options.dtype));
}

Variable LayerNorm::forward(const Variable& x) const {
  return layer_norm(x, normalized_, weight_.variable(), bias_.variable(), eps_);
}

void LayerNorm::visit(ModuleVisitor& visitor) {
  visitor("weight", weight_);
  visitor("bias", bias_);
}

}  // namespace plumb
