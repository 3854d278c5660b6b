#include "apps/op/op_table.h"
#include "autograd/ops.h"

namespace plumb {
namespace {

Variable run_embedding(OpCall& call) { return embedding(call.input(0).value(), call.input(1)); }
Variable run_gather(OpCall& call) { return gather(call.input(0), call.integer("dim"), call.input(1).value()); }
Variable run_index_select(OpCall& call) {
  return index_select(call.input(0), call.integer("dim"), call.input(1).value());
}
Variable run_scatter_add(OpCall& call) {
  return scatter_add(call.input(0), call.integer("dim"), call.input(1).value(), call.input(2));
}

}  // namespace

std::vector<OpEntry> index_ops() {
  return {
      {"embedding", "embedding(indices, weight)", run_embedding},
      {"gather", "gather(x, index; dim)", run_gather},
      {"index_select", "index_select(x, index; dim)", run_index_select},
      {"scatter_add", "scatter_add(x, index, src; dim)", run_scatter_add},
  };
}

}  // namespace plumb
