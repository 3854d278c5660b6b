#include "apps/train/pictures/train_pictures.h"

#include <cstdio>

#include "apps/common/globals.h"
#include "apps/common/memory_report.h"
#include "apps/common/picture_memory.h"
#include "apps/common/picture_shape.h"
#include "apps/train/pictures/trainer.h"
#include "engine/format.h"

namespace plumb {
namespace {

/// Fills in what follows from data and model.
void complete(train::PictureSettings& settings, const PictureDataset& data, const Pipeline& pipeline) {
  settings.transform.resolution = resolution_of("train", pipeline, settings.resolution, /*otherwise=*/64);
  settings.transform.channels = pipeline.vae ? pipeline.vae->options().in_channels : pipeline.unet->in_channels();
  const int64_t rows = settings.effective_batch(), pictures = int64_t(data.epoch.size());
  settings.optimizer.lr.total_steps =
      settings.max_train_steps.value_or(settings.num_train_epochs * ((pictures + rows - 1) / rows));
}

void announce(const train::PictureSettings& settings, const PictureDataset& data, const Pipeline& pipeline) {
  std::fprintf(stderr, "%s: %zu pictures, %zu an epoch, %zu classes%s\n", data.layout.c_str(), data.samples.size(),
               data.epoch.size(), data.classes.size(), data.has_captions ? ", with captions" : "");
  if (data.empty_captions > 0)
    std::fprintf(stderr, "plumb: warning: %lld captions are empty\n", static_cast<long long>(data.empty_captions));
  if (!data.unused.empty())
    std::fprintf(stderr, "plumb: warning: %zu pictures are in no metadata and not used (%s)\n", data.unused.size(),
                 data.unused.front().c_str());
  if (!data.classes.empty() && pipeline.unet->classes() == 0)
    std::fprintf(stderr, "plumb: warning: the network has no classes: labels are not used\n");
  for (const std::string& note : pipeline.notes) std::fprintf(stderr, "plumb: warning: %s\n", note.c_str());
  std::fprintf(stderr, "%lld steps of %lld x %lld pictures, %lld x %lld pixels\n",
               static_cast<long long>(settings.steps()), static_cast<long long>(settings.accumulation),
               static_cast<long long>(settings.batch), static_cast<long long>(settings.transform.resolution),
               static_cast<long long>(settings.transform.resolution));
}

}  // namespace

int run_train_pictures(const Arguments& arguments) {
  train::PictureSettings settings;
  Flags flags("train", "trains a diffusion model of pictures");
  train::add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  settle(settings.optimizer, flags, "train");
  train::check(settings);
  settings.device = apply_globals(settings.global, RunsOn::cpu_and_cuda);
  settings.cuda_graph =
      graph_steps("train", settings.cuda_graph, settings.device,
                  settings.train_text_encoder ? "the text encoder is trained" : "", settings.global.quiet);

  // Everything that can be refused is refused before the folder is touched.
  const PictureDataset data =
      read_picture_dataset(settings.train_data_dir, {.caption_column = settings.caption_column});
  Generator generator(uint64_t(settings.global.seed));
  Pipeline pipeline = train::make_pipeline(settings, data, generator);
  complete(settings, data, pipeline);
  if (settings.device.is_cpu())
    require_memory("train", pipeline,
                   {.batch = settings.batch,
                    .height = settings.transform.resolution,
                    .width = settings.transform.resolution,
                    .checkpointing = settings.gradient_checkpointing,
                    .average = settings.use_ema,
                    .text_encoder = settings.train_text_encoder,
                    .adafactor = settings.optimizer.kind == OptimizerKind::adafactor});
  if (!settings.global.quiet) announce(settings, data, pipeline);
  train::PictureTrainer trainer(settings, flags.resolved(), data, std::move(pipeline));
  const OutputDir out(settings.global.out);
  trainer.resume(out);
  trainer.prepare();
  write_config(out / "config.toml", "train", flags.resolved());
  const int code = trainer.run(out);
  if (code == kExitDone && !settings.global.quiet)
    std::printf("model: %s\n%s\n", (out / "model").c_str(), memory_line(settings.device).c_str());
  return code;
}

}  // namespace plumb
