#include "apps/op/op.h"

#include <algorithm>
#include <cstdio>

#include "apps/common/conformance.h"
#include "apps/common/globals.h"
#include "apps/op/op_table.h"
#include "autograd/backward.h"
#include "engine/format.h"
#include "engine/parallel.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Tensors "0", "1", … in order; a gap is an input that the case leaves out.
std::vector<Variable> numbered_inputs(const TensorMap& tensors, bool with_grad) {
  std::vector<Variable> inputs;
  for (const auto& [name, tensor] : tensors) {
    if (name.empty() || !std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) continue;
    require<ValueError>(name.size() <= 3, "op: input numbers go up to 999 ({})", name);
    const size_t index = size_t(std::stoul(name));
    if (inputs.size() <= index) inputs.resize(index + 1);
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
    backward(result, {.grad = upstream->second});
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !is_floating(inputs[i].dtype())) continue;
    const Tensor grad = inputs[i].grad();
    // Leaves collect in f32 or f64; the case's own type goes back. An input no gradient reached has a zero one.
    outputs.emplace(fmt::format("grad{}", i),
                    grad.defined() ? grad.to(inputs[i].dtype()) : zeros_like(inputs[i].value()));
  }
}

TensorMap run_one(const OpEntry& op, const Json* attributes, bool with_grad, const TensorMap& given) {
  OpCall call(std::string(op.name), numbered_inputs(given, with_grad), attributes);
  const Variable result = op.run(call);
  call.finish();
  TensorMap outputs;
  outputs.emplace("out0", result.value());
  if (with_grad) add_gradients(result, call.inputs(), given, outputs);
  return outputs;
}

TensorMap run_entry(const Json& entry, const TensorMap& given) {
  const Json* grad = entry.find("grad");
  const bool with_grad = grad && !grad->is_null() && grad->as_bool();
  return run_one(find_op(entry.at("op").as_string()), entry.find("attrs"), with_grad, given);
}

void list_ops() {
  for (const OpEntry& op : op_table()) std::printf("%.*s\n", int(op.signature.size()), op.signature.data());
}

}  // namespace

int run_op(const Arguments& arguments) {
  GlobalFlags global;
  std::string name, input, attributes, batch;
  bool with_grad = false, list = false;
  Flags flags("op", "runs one op, or a directory of cases, on tensors from a file");
  flags.positional("name", name, "of the op, in torch's spelling");
  flags.add("--in", input, "safetensors file with inputs 0, 1, … (and g0 with --grad)");
  flags.add("--attrs", attributes, "attributes as a JSON object");
  flags.add("--grad", with_grad, "also write grad0, … for the upstream gradient g0");
  flags.add("--batch", batch, "run every case of DIR/cases.json");
  flags.add("--list", list, "print every op with its signature");
  flags.add_global(global);
  flags.example("plumb op softmax --in case.safetensors --attrs '{\"dim\": -1}' --out out.safetensors");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(global);
  if (list) return list_ops(), kExitDone;
  if (!batch.empty()) return run_cases(batch, "n", run_entry);
  require<UsageError>(!name.empty() && !input.empty() && !global.out.empty(),
                      "op needs a name, --in and --out (or --batch DIR, or --list); see plumb op --help");
  const OpEntry& op = find_op(name);
  const Json parsed = attributes.empty() ? Json() : Json::parse(attributes, "--attrs");
  save_safetensors(global.out, run_one(op, &parsed, with_grad, load_safetensors(input)));
  return kExitDone;
}

}  // namespace plumb
