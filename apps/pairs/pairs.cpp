#include "apps/pairs/pairs.h"

#include <cstdio>

#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/common/pair_file.h"
#include "apps/pairs/make_pairs.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

void require_finite(const PreferencePairs& pairs, const std::string& model) {
  for (const Tensor& points : {pairs.winners, pairs.losers})
    require<UnhealthyError>(all(isfinite(points), {}, false).item<bool>(),
                            "pairs: samples are not finite ({}); the model is broken", model);
}

}  // namespace

int run_pairs(const Arguments& arguments) {
  GlobalFlags global{.out = "runs/pairs"};
  std::string folder;
  PairSettings settings;
  Flags flags("pairs", "makes a preference set of points: winners with c, losers with c-");
  flags.add("--model", folder, "model folder that is sampled, as plumb train writes it; else the clean world")
      .shown_as("FOLDER");
  add_pair_flags(flags, settings);
  add_world_flags(flags, settings.world);
  flags.add_global(global);
  flags.example("plumb pairs --model runs/train/model --pairs_per_class 64 --out runs/pairs");
  if (!flags.parse(arguments)) return kExitDone;
  const Device device = apply_globals(global, RunsOn::cpu_and_cuda);

  const RandomKey key = RandomKey{.seed = uint64_t(global.seed)}.fork("pairs");
  PreferencePairs pairs;
  if (folder.empty()) {
    pairs = world_pairs(settings, key);
  } else {
    PointModel model = load_point_model(folder);
    to_device(*model.network, device);
    pairs = model_pairs(model, settings, key);
  }
  require_finite(pairs, folder);
  const OutputDir out(global.out);
  write_config(out / "config.toml", "pairs", flags.resolved());
  save_pairs(out / "pairs.safetensors", pairs, {{"format", "pt"}, {"plumb", to_json(flags.resolved()).dump()}});
  if (!global.quiet)
    std::printf("%lld pairs: %s\n", static_cast<long long>(pairs.size()), (out / "pairs.safetensors").c_str());
  return kExitDone;
}

}  // namespace plumb
