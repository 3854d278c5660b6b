#include <utility>

#include "apps/op/op_table.h"
#include "autograd/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr std::pair<const char*, FusedActivation> kActivations[] = {{"none", FusedActivation::none},
                                                                    {"relu", FusedActivation::relu},
                                                                    {"silu", FusedActivation::silu},
                                                                    {"gelu", FusedActivation::gelu},
                                                                    {"gelu_tanh", FusedActivation::gelu_tanh}};

Variable run_matmul(OpCall& call) { return matmul(call.input(0), call.input(1)); }
Variable run_linear(OpCall& call) { return linear(call.input(0), call.input(1), call.optional_input(2)); }

Variable run_linear_act(OpCall& call) {
  const std::string name = call.text("activation", "silu");
  for (const auto& [known, activation] : kActivations)
    if (name == known) return linear_act(call.input(0), call.input(1), call.optional_input(2), activation);
  require<ValueError>(false, "linear_act: activation must be none, relu, silu, gelu or gelu_tanh ({})", name);
  return {};
}

}  // namespace

std::vector<OpEntry> linalg_ops() {
  return {
      {"linear", "linear(x, weight, bias?)", run_linear},
      {"linear_act", "linear_act(x, weight, bias?; activation)", run_linear_act},
      {"matmul", "matmul(a, b)", run_matmul},
  };
}

}  // namespace plumb
