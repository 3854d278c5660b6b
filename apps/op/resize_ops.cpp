#include "apps/op/op_table.h"
#include "autograd/ops.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

Variable run_interpolate_bilinear(OpCall& call) {
  const Dims size = call.dims("size");
  require<ValueError>(size.rank() == 2, "interpolate_bilinear: size must be [height, width] ({})", size);
  return interpolate_bilinear(call.input(0), size[0], size[1]);
}

}  // namespace

std::vector<OpEntry> resize_ops() {
  return {
      {"interpolate_bilinear", "interpolate_bilinear(x; size)", run_interpolate_bilinear},
  };
}

}  // namespace plumb
