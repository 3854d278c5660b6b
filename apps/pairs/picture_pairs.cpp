#include "apps/pairs/picture_pairs.h"

#include <algorithm>
#include <cstdio>

#include "align/data/preference_dataset.h"
#include "apps/common/picture_image.h"
#include "apps/common/picture_memory.h"
#include "apps/common/picture_shape.h"
#include "apps/common/progress.h"
#include "apps/common/run_identity.h"
#include "apps/common/signals.h"
#include "apps/pairs/pair_folder.h"
#include "apps/sample/picture_jobs.h"
#include "apps/train/pictures/model.h"
#include "autograd/grad_mode.h"
#include "diffusion/pipeline/pipeline_text.h"
#include "diffusion/sampler/sample_pictures.h"
#include "engine/format.h"
#include "engine/io/png.h"
#include "engine/io/read_image.h"
#include "engine/io/sha256.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Pairs drawn together.
using Batch = std::span<const PlannedPair>;

/// Pixels of a picture.
struct PictureSize {
  int64_t height, width;
};

PictureSize size_of(const PairsSettings& s, const Pipeline& pipeline) {
  constexpr int64_t kLargest = 16384;
  const int64_t scale = reduction_of(pipeline), multiple = scale * pipeline.unet->multiple_of();
  const Size2d trained = pipeline.unet->sample_size();
  const PictureSize size{s.height.value_or(trained.height * scale), s.width.value_or(trained.width * scale)};
  for (const auto& [name, pixels] : {std::pair{"height", size.height}, std::pair{"width", size.width}}) {
    require<UsageError>(pixels > 0, "pairs: the model does not say how large its pictures are; give --{} ({})", name,
                        s.model);
    require<UsageError>(pixels % multiple == 0 && pixels <= kLargest,
                        "pairs: --{} must be a multiple of {} and at most {} ({})", name, multiple, kLargest, pixels);
  }
  return size;
}

PictureSamplerOptions sampler_options(const PairsSettings& s, const Pipeline& pipeline) {
  SchedulerConfig config = s.sampler == "auto" ? pipeline.scheduler : with_sampler(pipeline.scheduler, s.sampler);
  if (s.spacing != "auto") config.timestep_spacing = timestep_spacing_from_name(s.spacing);
  const PictureSamplerOptions options{.scheduler = config, .steps = s.steps, .guidance = {.scale = s.guidance_scale}};
  make_sampler(options.scheduler, options.steps);  // throws for what cannot be
  return options;
}

class PairDrawing {
 public:
  PairDrawing(const PairsSettings& settings, Pipeline& pipeline, Device device, PictureSize size,
              const PictureSamplerOptions& options)
      : s_(settings), pipeline_(pipeline), device_(device), size_(size), options_(options) {}

  int64_t calls() const { return picture_calls(options_, {}); }

  /// Winners, then losers: [N or 2N, C, h, w].
  Tensor draw(Batch batch, Progress& progress) const {
    std::vector<uint64_t> seeds;
    std::vector<std::string> texts;
    for (const bool winners : {true, false}) {
      if (!winners && !s_.has_losers()) break;
      for (const PlannedPair& pair : batch) {
        seeds.push_back(uint64_t(pair.seed));
        texts.push_back(winners ? pair.prompt : pair.negatives.front());
      }
    }
    PictureNoise noise(PictureRng::plumb, std::move(seeds));
    const int64_t scale = reduction_of(pipeline_);
    return sample_pictures(*pipeline_.unet,
                           {.condition = condition(texts, false),
                            .negative = s_.guidance_scale != 1 ? condition(texts, true) : Condition{},
                            .shape = {pipeline_.unet->in_channels(), size_.height / scale, size_.width / scale}},
                           noise, options_, [&](const PictureStep&) { progress.advance(); });
  }

  /// f32 [1, C, H, W] of what the network drew, in about [-1, 1].
  Tensor decoded(const Tensor& x) const {
    if (!pipeline_.vae) return x.to(DType::f32);
    NoGrad no_grad;
    const Variable latents(x.to(device_).to(pipeline_.vae->dtype()));
    return pipeline_.vae->decode(pipeline_.vae->unscaled(latents)).value().to(DType::f32);
  }

 private:
  Condition condition(const std::vector<std::string>& texts, bool empty) const {
    const TextEncoders encoders = text_encoders_of(pipeline_);
    const int64_t count = int64_t(texts.size());
    Condition condition =
        empty ? encode_negative_prompts(encoders, std::nullopt, count) : encode_prompts(encoders, texts);
    if (pipeline_.text_encoder_2)
      condition.time_ids = size_ids({.original_height = size_.height,
                                     .original_width = size_.width,
                                     .target_height = size_.height,
                                     .target_width = size_.width},
                                    count)
                               .to(device_);
    return condition;
  }

  const PairsSettings& s_;
  Pipeline& pipeline_;
  Device device_;
  PictureSize size_;
  PictureSamplerOptions options_;
};

/// Everything the files depend on, with hashes for what lies in other files. The number of pairs is not in it.
Json identity_of(const Flags& flags, const Pipeline& pipeline, const PlannedPairs& plan) {
  Sha256 models;
  for (const PipelineModule& part : modules_of(pipeline))
    models.update(part.name).update(train::fingerprint(*part.module));
  for (const auto& [name, bytes] : pipeline.tokenizer_files) models.update(name).update(sha256_hex(bytes));
  std::vector<std::string_view> left_out = point_pair_flags();
  left_out.insert(left_out.end(), {"model", "prompts", "world", "num_pairs", "tokenizer", "variant", "winograd"});
  Json identity = run_identity(flags.resolved(), LrScheduleKind::constant, left_out);
  return identity.set("prompts_sha256", plan.prompts_hash).set("model_sha256", models.finish_hex());
}

void require_finite(const PairsSettings& s, const PlannedPair& pair, const Tensor& drawn, const Tensor& pixels) {
  for (const Tensor& each : {drawn, pixels})
    require<UnhealthyError>(!each.defined() || all(isfinite(each), {}, false).item<bool>(),
                            "pairs: pair {} is not finite ({}); the model is broken, or --guidance_scale too large",
                            pair.id, s.model);
}

void keep(const PairsSettings& s, const PairDrawing& drawing, Batch batch, const Tensor& x, const PairFolder& folder) {
  for (int64_t row = 0; row < x.size(0); ++row) {
    const int64_t count = int64_t(batch.size());
    const PlannedPair& pair = batch[size_t(row % count)];
    const Tensor drawn = slice(x, 0, row, row + 1), pixels = s.save_latents ? Tensor() : drawing.decoded(drawn);
    require_finite(s, pair, drawn, pixels);
    folder.add(pair, row < count, drawn, pixels);
  }
}

/// The first pairs: winners over losers.
void write_sheet(const PairsSettings& s, const PairDrawing& drawing, const PlannedPairs& plan, const PairFolder& folder,
                 const OutputDir& out) {
  constexpr size_t kColumns = 8;
  const size_t columns = std::min(kColumns, plan.pairs.size());
  std::vector<Image> pictures;
  for (const bool winners : {true, false}) {
    if (!winners && !s.has_losers()) break;
    for (size_t i = 0; i < columns; ++i) {
      const std::string path = out / folder.name_of(plan.pairs[i], winners);
      if (s.save_latents) {
        const Tensor x = read_latents({.file = path});
        pictures.push_back(picture_of(drawing.decoded(reshape(x, {1, x.size(0), x.size(1), x.size(2)}))));
      } else {
        pictures.push_back(read_image(path));
      }
    }
  }
  write_png(out / "pairs.png", grid_of(pictures, {.columns = int64_t(columns), .gap = 1, .ground = 255}));
}

Pipeline load(const PairsSettings& s, Device device) {
  const DType dtype = compute_dtype(s.mixed_precision, "pairs");
  require<UsageError>(dtype == DType::f32 || device.is_cuda(),
                      "pairs: --mixed_precision bf16 is for a CUDA device; leave it out (--device {})",
                      s.global.device);
  Pipeline pipeline = load_pipeline(s.model, {.variant = s.variant, .dtype = dtype, .tokenizer = s.tokenizer});
  require<UsageError>(takes_text(pipeline), "pairs: c and c- are texts, and the model has no text encoder ({})",
                      s.model);
  return pipeline;
}

std::vector<Batch> batches_of(const PlannedPairs& plan, int64_t size) {
  std::vector<Batch> batches;
  for (size_t begin = 0; begin < plan.pairs.size(); begin += size_t(size))
    batches.push_back(Batch(plan.pairs).subspan(begin, std::min(size_t(size), plan.pairs.size() - begin)));
  return batches;
}

}  // namespace

int make_picture_pairs(const Flags& flags, const PairsSettings& s, Device device) {
  refuse_point_pair_flags(flags);
  const PlannedPairs plan = plan_pairs(s);
  Pipeline pipeline = load(s, device);
  const PictureSize size = size_of(s, pipeline);
  if (device.is_cpu())
    require_memory("pairs", pipeline,
                   {.training = false,
                    .batch = s.has_losers() ? 2 * s.batch_size : s.batch_size,
                    .height = size.height,
                    .width = size.width});
  const PairDrawing drawing(s, pipeline, device, size, sampler_options(s, pipeline));
  const Json identity = identity_of(flags, pipeline, plan);
  check_pair_folder(s.global.out, identity);
  to_device(pipeline, device);
  StopOnSignal stop;
  const OutputDir out(s.global.out);
  const PairFolder folder(s, out, identity);
  write_config(out / "config.toml", "pairs", flags.resolved());
  std::vector<Batch> missing;  // whole batches: the last bits of a picture depend on what is drawn with it
  for (const Batch batch : batches_of(plan, s.batch_size))
    if (!folder.holds(batch)) missing.push_back(batch);
  {
    Progress progress(
        {.description = "Steps", .total = int64_t(missing.size()) * drawing.calls(), .quiet = s.global.quiet});
    for (const Batch batch : missing) {
      if (stop.requested()) return stop.exit_code();
      keep(s, drawing, batch, drawing.draw(batch, progress), folder);
    }
  }
  write_sheet(s, drawing, plan, folder, out);
  folder.finish(plan);
  if (!s.global.quiet)
    std::printf("pairs: %zu in %s (%lld prompts without a degraded version were left out)\n", plan.pairs.size(),
                out.path().c_str(), static_cast<long long>(plan.left_out));
  return kExitDone;
}

}  // namespace plumb
