#include "apps/train/train.h"

#include <cstdio>

#include "apps/common/globals.h"
#include "apps/common/memory_report.h"
#include "apps/train/pictures/settings.h"
#include "apps/train/pictures/train_pictures.h"
#include "apps/train/trainer.h"
#include "engine/format.h"

namespace plumb {

int run_train(const Arguments& arguments) {
  if (train::wants_pictures(arguments)) return run_train_pictures(arguments);
  train::Settings settings;
  Flags flags("train", "trains a diffusion model of points; of pictures with --train_data_dir DIR");
  train::add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  settle(settings.optimizer, flags, "train");
  settings.device = apply_globals(settings.global, RunsOn::cpu_and_cuda);

  settings.cuda_graph = graph_steps("train", settings.cuda_graph, settings.device, "", settings.global.quiet);

  // Everything that can be refused is refused before the folder is touched.
  const train::PointData data = train::load_data(settings);
  train::Trainer trainer(settings, flags.resolved(), data);
  const OutputDir out(settings.global.out);
  trainer.resume(out);
  write_config(out / "config.toml", "train", flags.resolved());
  const int code = trainer.run(out);
  if (code == kExitDone && !settings.global.quiet)
    std::printf("model: %s\n%s\n", (out / "model").c_str(), memory_line(settings.device).c_str());
  return code;
}

}  // namespace plumb
