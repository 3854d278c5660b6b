#include "apps/op/op_table.h"
#include "autograd/ops.h"

namespace plumb {
namespace {

Variable run_cat(OpCall& call) { return cat(call.inputs(), call.integer("dim", 0)); }
Variable run_stack(OpCall& call) { return stack(call.inputs(), call.integer("dim", 0)); }
Variable run_expand(OpCall& call) { return expand(call.input(0), call.dims("shape")); }
Variable run_flip(OpCall& call) { return flip(call.input(0), call.dims("dims")); }
Variable run_pad(OpCall& call) {
  const Dims padding = call.dims("pad");
  return pad(call.input(0), padding, call.number("value", 0));
}
Variable run_permute(OpCall& call) { return permute(call.input(0), call.dims("dims")); }
Variable run_reshape(OpCall& call) { return reshape(call.input(0), call.dims("shape")); }

Variable run_roll(OpCall& call) {
  const Dims shifts = call.dims("shift");
  if (call.has("dim")) return roll(call.input(0), shifts, call.dims("dim"));
  // Without dims torch rolls the flattened tensor.
  const Variable flat = roll(reshape(call.input(0), {-1}), shifts, {0});
  return reshape(flat, call.input(0).shape());
}

Variable run_select(OpCall& call) {
  const int64_t dim = call.integer("dim");
  return select(call.input(0), dim, call.integer("index"));
}

Variable run_slice(OpCall& call) {
  const int64_t dim = call.integer("dim", 0), start = call.integer("start", 0);
  const int64_t end = call.integer("end", std::numeric_limits<int64_t>::max());
  return slice(call.input(0), dim, start, end, call.integer("step", 1));
}

Variable run_squeeze(OpCall& call) { return squeeze(call.input(0), call.dims("dim", Dims{})); }
Variable run_unsqueeze(OpCall& call) { return unsqueeze(call.input(0), call.integer("dim")); }

Variable run_transpose(OpCall& call) {
  const int64_t first = call.integer("dim0");
  return transpose(call.input(0), first, call.integer("dim1"));
}

}  // namespace

std::vector<OpEntry> layout_ops() {
  return {
      {"cat", "cat(x0, x1, …; dim=0)", run_cat},
      {"expand", "expand(x; shape)", run_expand},
      {"flip", "flip(x; dims)", run_flip},
      {"pad", "pad(x; pad, value=0)", run_pad},
      {"permute", "permute(x; dims)", run_permute},
      {"reshape", "reshape(x; shape)", run_reshape},
      {"roll", "roll(x; shift, dim=None)", run_roll},
      {"select", "select(x; dim, index)", run_select},
      {"slice", "slice(x; dim=0, start=0, end=None, step=1)", run_slice},
      {"squeeze", "squeeze(x; dim=None)", run_squeeze},
      {"stack", "stack(x0, x1, …; dim=0)", run_stack},
      {"transpose", "transpose(x; dim0, dim1)", run_transpose},
      {"unsqueeze", "unsqueeze(x; dim)", run_unsqueeze},
  };
}

}  // namespace plumb
