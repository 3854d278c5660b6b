#include "apps/op/run_case.h"

#include <algorithm>

#include "autograd/backward.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Tensors "0", "1", … in order; a gap is an input that the case leaves out.
std::vector<Variable> numbered_inputs(const TensorMap& tensors, bool with_grad, Device device) {
  std::vector<Variable> inputs;
  for (const auto& [name, stored] : tensors) {
    if (name.empty() || !std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
    require<ValueError>(name.size() <= 3, "op: input numbers go up to 999 ({})", name);
    const size_t index = size_t(std::stoul(name));
    if (inputs.size() <= index) inputs.resize(index + 1);
    const Tensor tensor = stored.to(device);
    inputs[index] = with_grad && is_floating(tensor.dtype()) ? Variable::leaf(tensor) : Variable(tensor);
  }
  return inputs;
}

/// Upstream gradient g0 in, gradients of the floating inputs out.
void add_gradients(const Variable& result, const std::vector<Variable>& inputs, const TensorMap& given,
                   TensorMap& outputs) {
  if (result.requires_grad()) {
    const auto upstream = given.find("g0");
    require<ValueError>(upstream != given.end(), "op: --grad needs the upstream gradient g0 among the inputs");
    backward(result, {.grad = upstream->second.to(result.value().device())});
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !is_floating(inputs[i].dtype())) continue;
    const Tensor grad = inputs[i].grad();
    // Leaves collect in f32 or f64; the case's own type goes back. An input no gradient reached has a zero one.
    outputs.emplace(fmt::format("grad{}", i),
                    grad.defined() ? grad.to(inputs[i].dtype()).to(kCpu) : zeros_like(inputs[i].value()).to(kCpu));
  }
}

}  // namespace

TensorMap run_op_case(const OpEntry& op, const Json* attributes, bool with_grad, const TensorMap& given,
                      Device device) {
  OpCall call(std::string(op.name), numbered_inputs(given, with_grad, device), attributes);
  const Variable result = op.run(call);
  call.finish();
  TensorMap outputs;
  outputs.emplace("out0", result.value().to(kCpu));
  if (with_grad) add_gradients(result, call.inputs(), given, outputs);
  return outputs;
}

TensorMap run_op_entry(const Json& entry, const TensorMap& given, Device device) {
  const Json* grad = entry.find("grad");
  const bool with_grad = grad && !grad->is_null() && grad->as_bool();
  return run_op_case(find_op(entry.at("op").as_string()), entry.find("attrs"), with_grad, given, device);
}

}  // namespace plumb
