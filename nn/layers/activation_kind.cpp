#include "nn/layers/activation_kind.h"

#include "autograd/ops/elementwise.h"
#include "engine/require.h"

namespace plumb {

ActivationKind activation_kind(std::string_view name, std::string_view key) {
  if (name == "silu" || name == "swish") return ActivationKind::silu;
  if (name == "relu") return ActivationKind::relu;
  if (name == "gelu") return ActivationKind::gelu;
  require<ValueError>(name == "mish", "{}: must be silu, swish, relu, gelu or mish ({})", key, name);
  return ActivationKind::mish;
}

Variable activate(ActivationKind kind, const Variable& x) {
  switch (kind) {
    case ActivationKind::silu:
      return silu(x);
    case ActivationKind::relu:
      return relu(x);
    case ActivationKind::gelu:
      return gelu(x);
    case ActivationKind::mish:
      break;
  }
  return mish(x);
}

}  // namespace plumb
