#include "autograd/record.h"

#include <cmath>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb::detail {

Ref<Node> make_op_node(const char* name, const Tensor& value, const Inputs& inputs, const Saves& saves) {
  Ref<Node> node = Node::make(name);
  node->shape = value.shape();
  node->dtype = value.dtype();
  node->input_count = inputs.count();
  if (inputs.count() > Node::kInlineInputs) node->more_inputs = std::make_unique<Ref<Node>[]>(size_t(inputs.count()));
  std::span<Ref<Node>> nodes = node->inputs();
  for (int i = 0; i < inputs.count(); ++i) nodes[size_t(i)] = inputs[i].node();
  for (int i = 0; i < saves.count(); ++i) {
    if (!saves[i].defined()) continue;
    node->saved[i].tensor = saves[i];
    node->saved[i].version = saves[i].version();
  }
  node->saved_count = saves.count();
  return node;
}

void check_for_nan(const char* op, const char* what, const Tensor& value) {
  if (!value.defined() || !is_floating(value.dtype())) return;
  const std::vector<double> values = value.to_vector<double>();
  for (size_t i = 0; i < values.size(); ++i)
    require<NumericError>(!std::isnan(values[i]), "{}: {} holds a NaN (first at element {}); {}", op, what, i, value);
}

}  // namespace plumb::detail
