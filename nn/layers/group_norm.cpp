#include "nn/layers/group_norm.h"

#include "autograd/ops/norm.h"
#include "engine/require.h"

namespace plumb {

GroupNorm::GroupNorm(int64_t groups, int64_t channels, const GroupNormLayerOptions& options)
    : options_{.groups = groups, .eps = options.eps, .silu = options.silu} {
  require<ValueError>(groups >= 1 && channels >= 1 && channels % groups == 0,
                      "GroupNorm: channels must be a multiple of groups ({} channels, {} groups)", channels, groups);
  if (!options.affine) return;
  weight_ = Parameter(ones({channels}, options.dtype));
  bias_ = Parameter(zeros({channels}, options.dtype));
}

Variable GroupNorm::forward(const Variable& x) const {
  return group_norm(x, weight_.variable(), bias_.variable(), options_);
}

void GroupNorm::visit(ModuleVisitor& visitor) {
  visitor("weight", weight_);
  visitor("bias", bias_);
}

}  // namespace plumb
