#include "apps/pairs/pairs.h"

#include <cstdio>

#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/common/pair_file.h"
#include "apps/pairs/make_pairs.h"
#include "apps/pairs/picture_pairs.h"
#include "apps/pairs/settings.h"
#include "diffusion/point_model.h"
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

void make_point_pairs(const Flags& flags, const PairsSettings& s, Device device) {
  const RandomKey key = RandomKey{.seed = uint64_t(s.global.seed)}.fork("pairs");
  PreferencePairs pairs;
  if (s.model.empty()) {
    pairs = world_pairs(s.points, key);
  } else {
    PointModel model = load_point_model(s.model);
    to_device(*model.network, device);
    pairs = model_pairs(model, s.points, key);
  }
  require_finite(pairs, s.model);
  const OutputDir out(s.global.out);
  write_config(out / "config.toml", "pairs", flags.resolved());
  save_pairs(out / "pairs.safetensors", pairs, {{"format", "pt"}, {"plumb", to_json(flags.resolved()).dump()}});
  if (!s.global.quiet)
    std::printf("%lld pairs: %s\n", static_cast<long long>(pairs.size()), (out / "pairs.safetensors").c_str());
}

}  // namespace

int run_pairs(const Arguments& arguments) {
  PairsSettings s;
  Flags flags("pairs", "makes preference pairs without labels: winners with c, losers with a degraded c-");
  add_pairs_flags(flags, s);
  if (!flags.parse(arguments)) return kExitDone;
  const Device device = apply_globals(s.global, RunsOn::cpu_and_cuda);
  s.points.sampler.steps = s.steps;
  if (s.spacing != "auto") s.points.sampler.spacing = timestep_spacing_from_name(s.spacing);
  if (!s.model.empty() && !is_point_model(s.model)) return make_picture_pairs(flags, s, device);
  refuse_picture_pair_flags(flags);
  make_point_pairs(flags, s, device);
  return kExitDone;
}

}  // namespace plumb
