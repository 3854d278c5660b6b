#pragma once

#include "engine/fused_activation.h"
#include "engine/ops/elementwise/unary.h"

namespace plumb {

/// The op that `activation` names, of x (a Tensor or a Variable); x itself for none.
template <class X>
X activate(const X& x, FusedActivation activation) {
  switch (activation) {
    case FusedActivation::none:
      break;
    case FusedActivation::relu:
      return relu(x);
    case FusedActivation::silu:
      return silu(x);
    case FusedActivation::gelu:
      return gelu(x);
    case FusedActivation::gelu_tanh:
      return gelu(x, GeluForm::tanh);
  }
  return x;
}

}  // namespace plumb
