#include "apps/op/op_table.h"
#include "autograd/ops.h"

namespace plumb {
namespace {

Variable run_matmul(OpCall& call) { return matmul(call.input(0), call.input(1)); }
Variable run_linear(OpCall& call) { return linear(call.input(0), call.input(1), call.optional_input(2)); }

}  // namespace

std::vector<OpEntry> linalg_ops() {
  return {
      {"linear", "linear(x, weight, bias?)", run_linear},
      {"matmul", "matmul(a, b)", run_matmul},
  };
}

}  // namespace plumb
