#include "apps/objective/objective_verb.h"

#include <cstdio>

#include "apps/common/conformance.h"
#include "apps/common/globals.h"
#include "apps/objective/run_case.h"
#include "engine/require.h"

namespace plumb {

int run_objective(const Arguments& arguments) {
  GlobalFlags global;
  std::string name, input, batch;
  KeyValues set;
  bool list = false;
  Flags flags("objective", "evaluates one objective, or a directory of cases, on predictions from a file");
  flags.positional("name", name, "of the objective");
  flags.add("--in", input,
            "safetensors file with pred, ref, target [2B, …], optional timesteps, labels [2B], logit_scale [B], "
            "alphas_cumprod [T]");
  flags.add("--set", set, "option of the objective, or T (timesteps, 1000); repeatable");
  flags.add("--batch", batch, "run every case of DIR/cases.json");
  flags.add("--list", list, "print every objective");
  flags.add_global(global);
  flags.example("plumb objective ddspo --in case.safetensors --set beta=16000 --out out.safetensors");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(global);
  if (list) {
    for (const ObjectiveEntry& entry : objective_table())
      std::printf("%-16.*s %.*s\n", int(entry.name.size()), entry.name.data(), int(entry.summary.size()),
                  entry.summary.data());
    return kExitDone;
  }
  if (!batch.empty()) return run_cases(batch, "case", run_objective_entry);
  require<UsageError>(!name.empty() && !input.empty() && !global.out.empty(),
                      "objective needs a name, --in and --out (or --batch DIR, or --list); see plumb objective --help");
  save_safetensors(global.out, run_objective_case(name, set, load_safetensors(input)));
  return kExitDone;
}

}  // namespace plumb
