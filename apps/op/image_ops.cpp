#include "apps/op/op_table.h"
#include "autograd/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// One integer for both axes, or [height, width].
Size2d size2d(OpCall& call, std::string_view key, int64_t fallback) {
  const Dims dims = call.dims(key, Dims{fallback});
  require<ValueError>(dims.rank() == 1 || dims.rank() == 2, "{} must be one integer or two ({} given)", key,
                      dims.rank());
  return {dims[0], dims[dims.rank() - 1]};
}

Variable run_conv2d(OpCall& call) {
  const Conv2dOptions options{.stride = size2d(call, "stride", 1),
                              .padding = size2d(call, "padding", 0),
                              .dilation = size2d(call, "dilation", 1),
                              .groups = call.integer("groups", 1)};
  return conv2d(call.input(0), call.input(1), call.optional_input(2), options);
}

Variable run_group_norm(OpCall& call) {
  const GroupNormOptions options{
      .groups = call.integer("num_groups"), .eps = call.number("eps", 1e-5), .silu = call.flag("silu", false)};
  return group_norm(call.input(0), call.optional_input(1), call.optional_input(2), options);
}

}  // namespace

std::vector<OpEntry> image_ops() {
  return {
      {"conv2d", "conv2d(x, weight, bias?; stride=1, padding=0, dilation=1, groups=1)", run_conv2d},
      {"group_norm", "group_norm(x, weight?, bias?; num_groups, eps=1e-5, silu=False)", run_group_norm},
  };
}

}  // namespace plumb
