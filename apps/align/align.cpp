#include "apps/align/align.h"

#include <cstdio>
#include <filesystem>

#include "apps/align/aligner.h"
#include "apps/align/pictures/align_pictures.h"
#include "apps/common/early_flag.h"
#include "apps/common/globals.h"
#include "apps/common/memory_report.h"
#include "apps/common/pair_file.h"
#include "apps/common/run_identity.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/io/sha256.h"
#include "engine/require.h"
#include "nn/state_dict.h"

namespace plumb {
namespace {

std::string hash_of(PointModel& model) {
  Sha256 hash;
  hash.update(fmt::format("{} {} {} {} {}", model.schedule.num_train_timesteps, int(model.schedule.beta_schedule),
                          model.schedule.beta_start, model.schedule.beta_end, name_of(model.prediction)));
  for (const NamedTensor& named : state_dict(*model.network)) {
    hash.update(fmt::format("{} {}", named.name, named.tensor.shape()));
    const Tensor weight = named.tensor.to(kCpu);
    hash.update(weight.data<float>(), size_t(weight.numel()) * sizeof(float));
  }
  return hash.finish_hex();
}

/// Whether the model asked for is one of pictures. What cannot be read is the point model's loader to judge.
bool wants_pictures(const Arguments& arguments) {
  namespace fs = std::filesystem;
  const std::optional<std::string> model = early_flag(arguments, "model");
  if (!model) return false;
  std::error_code ignored;
  if (fs::is_regular_file(*model, ignored)) return true;
  const fs::path config = fs::path(*model) / "unet/config.json";
  if (!fs::is_regular_file(config, ignored)) return false;
  const Json json = Json::parse(read_file(config), config.string());
  const Json* name = json.is_object() ? json.find("_class_name") : nullptr;
  return name && name->is_string() && name->as_string() != "PointDenoiser";
}

}  // namespace

int run_align(const Arguments& arguments) {
  if (wants_pictures(arguments)) return run_align_pictures(arguments);
  AlignSettings settings;
  Flags flags("align", "fine-tunes a point model on preference pairs; one of pictures: --model DIR --help");
  add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  settle(settings.optimizer, flags, "align");
  settings.models.device = apply_globals(settings.global, RunsOn::cpu_and_cuda);
  const ConfigEntries resolved = flags.resolved();
  settings.cuda_graph =
      graph_steps("align", settings.cuda_graph, settings.models.device, host_work(settings), settings.global.quiet);

  // Everything that can be refused is refused before the folder is touched.
  PointModel model = load_point_model(settings.model);
  PreferencePairs pairs = pairs_for(settings, model);
  if (settings.one_pair_per_prompt) {
    require<UsageError>(
        pairs.condition.labels.defined(),
        "align: --one_pair_per_prompt tells prompts apart by class, and the pairs have none; leave it out");
    pairs = one_pair_a_prompt(pairs);
  }
  resolve(settings);
  Json identity = run_identity(
      resolved, settings.optimizer.lr.kind,
      {"data", "model", "pair_source", "pairs_per_class", "one_pair_per_prompt", "negative", "num_inference_steps",
       "timestep_spacing", "merge_lora", "log_bins_steps", "validation_steps", "num_validation_samples"});
  identity.set("model_sha256", hash_of(model)).set("pairs_sha256", hash_of(pairs));
  Aligner aligner(settings, std::move(identity), std::move(model), std::move(pairs));
  const OutputDir out(settings.global.out);
  aligner.resume(out);
  write_config(out / "config.toml", "align", resolved);
  const int code = aligner.run(out);
  if (code == kExitDone && !settings.global.quiet)
    std::printf("model: %s\n%s\n", (out / "model").c_str(), memory_line(settings.models.device).c_str());
  return code;
}

}  // namespace plumb
