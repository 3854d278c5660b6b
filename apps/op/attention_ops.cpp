#include "apps/op/op_table.h"
#include "autograd/ops.h"

namespace plumb {
namespace {

Variable run_attention(OpCall& call) {
  AttentionOptions options{.causal = call.flag("causal", false)};
  if (call.has("scale")) options.scale = call.number("scale");
  return attention(call.input(0), call.input(1), call.input(2), options);
}

}  // namespace

std::vector<OpEntry> attention_ops() {
  return {
      {"attention", "attention(q, k, v; causal=False, scale=None)", run_attention},
  };
}

}  // namespace plumb
