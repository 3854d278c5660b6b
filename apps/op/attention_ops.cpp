#include "apps/op/op_table.h"
#include "autograd/ops.h"

namespace plumb {
namespace {

/// Absent or null: nothing.
std::optional<double> optional_number(OpCall& call, const char* key) {
  const double value = call.number(key, 0.0);
  return call.has(key) ? std::optional(value) : std::nullopt;
}

Variable run_attention(OpCall& call) {
  const AttentionOptions options{.causal = call.flag("causal", false), .scale = optional_number(call, "scale")};
  return attention(call.input(0), call.input(1), call.input(2), options);
}

Variable run_geglu(OpCall& call) { return geglu(call.input(0)); }

Variable run_linear_attention(OpCall& call) { return linear_attention(call.input(0), call.input(1), call.input(2)); }

Variable run_rms_norm(OpCall& call) {
  const Dims shape = call.dims("normalized_shape", Dims{call.input(0).size(-1)});
  return rms_norm(call.input(0), shape, call.optional_input(1), optional_number(call, "eps"));
}

}  // namespace

std::vector<OpEntry> attention_ops() {
  return {
      {"attention", "attention(q, k, v; causal=False, scale=None)", run_attention},
      {"geglu", "geglu(x)", run_geglu},
      {"linear_attention", "linear_attention(q, k, v)", run_linear_attention},
      {"rms_norm", "rms_norm(x, weight?; normalized_shape=[last], eps=None)", run_rms_norm},
  };
}

}  // namespace plumb
