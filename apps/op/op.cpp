#include "apps/op/op.h"

#include <algorithm>
#include <cstdio>

#include "apps/common/conformance.h"
#include "apps/common/globals.h"
#include "apps/op/run_case.h"
#include "engine/backend.h"
#include "engine/require.h"

namespace plumb {
namespace {

void list_ops() {
  const std::span<const std::string_view> cpu_only = cpu_only_ops();
  for (const OpEntry& op : op_table()) {
    const bool has_cuda = std::find(cpu_only.begin(), cpu_only.end(), op.name) == cpu_only.end();
    std::printf("%.*s%s\n", int(op.signature.size()), op.signature.data(), has_cuda ? "" : "   [cpu only]");
  }
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
  flags.add("--list", list, "print every op with its signature, and whether it runs on the cpu only");
  flags.add_global(global);
  flags.example("plumb op softmax --in case.safetensors --attrs '{\"dim\": -1}' --out out.safetensors");
  if (!flags.parse(arguments)) return kExitDone;
  const Device device = apply_globals(global, RunsOn::cpu_and_cuda);
  if (list) return list_ops(), kExitDone;
  if (!batch.empty())
    return run_cases(
        batch, "n", [device](const Json& entry, const TensorMap& given) { return run_op_entry(entry, given, device); });
  require<UsageError>(!name.empty() && !input.empty() && !global.out.empty(),
                      "op needs a name, --in and --out (or --batch DIR, or --list); see plumb op --help");
  const OpEntry& op = find_op(name);
  const Json parsed = attributes.empty() ? Json() : Json::parse(attributes, "--attrs");
  save_safetensors(global.out, run_op_case(op, &parsed, with_grad, load_safetensors(input), device));
  return kExitDone;
}

}  // namespace plumb
