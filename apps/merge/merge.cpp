#include "apps/merge/merge.h"

#include <cstdio>
#include <filesystem>

#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "diffusion/point_model.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"
#include "nn/lora/adapter_file.h"
#include "nn/lora/merge.h"
#include "nn/state_dict.h"

namespace plumb {
namespace {

struct Settings {
  GlobalFlags global{.out = "runs/merge"};
  std::string model = {};
  std::string adapter = {};
  double scale = 1;
};

constexpr const char* kName = "merged";

void add_flags(Flags& flags, Settings& s) {
  flags.add("--model", s.model, "model folder, as plumb train writes it").shown_as("FOLDER").required();
  flags.add("--adapter", s.adapter, "adapter folder, or a safetensors file in PEFT or kohya names")
      .shown_as("PATH")
      .required();
  flags.add("--lora_scale", s.scale, "how much of it: 1 all, 0 none, -1 takes it out again");
  flags.add_global(s.global);
  flags.example("plumb merge --model runs/train/model --adapter runs/align/adapter --out runs/merged");
}

void require_finite(PointDenoiser& network, const Settings& s) {
  for (const NamedTensor& named : state_dict(network))
    require<UsageError>(all(isfinite(named.tensor), {}, false).item<bool>(),
                        "merge: {} is not finite ({} with {}); repair the adapter, or lower --lora_scale", named.name,
                        s.model, s.adapter);
}

/// The model's own folder is not the place for the result.
void require_other_folder(const Settings& s) {
  std::error_code ignored;
  require<UsageError>(!std::filesystem::equivalent(std::filesystem::path(s.global.out) / "model", s.model, ignored),
                      "merge: --out {} would replace the model that is merged ({}/model); give another --out",
                      s.global.out, s.global.out);
}

}  // namespace

int run_merge(const Arguments& arguments) {
  Settings settings;
  Flags flags("merge", "adds a low-rank adapter (LoRA) to the weights of a model");
  add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(settings.global);

  require_other_folder(settings);
  PointModel model = load_point_model(settings.model);
  load_adapter(*model.network, kName, settings.adapter);
  const int layers = merge_adapter(*model.network, kName, settings.scale);
  require_finite(*model.network, settings);
  const OutputDir out(settings.global.out);
  write_config(out / "config.toml", "merge", flags.resolved());
  save_point_model(out / "model", model);
  if (!settings.global.quiet) std::printf("merged %d layers: %s\n", layers, (out / "model").c_str());
  return kExitDone;
}

}  // namespace plumb
