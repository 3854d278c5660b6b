#include "apps/sample/pictures.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <span>

#include "apps/common/output_dir.h"
#include "apps/common/picture_image.h"
#include "apps/common/picture_memory.h"
#include "apps/common/picture_shape.h"
#include "apps/common/progress.h"
#include "apps/sample/picture_jobs.h"
#include "autograd/grad_mode.h"
#include "diffusion/latent_preview.h"
#include "diffusion/pipeline/pipeline_text.h"
#include "diffusion/sampler/sample_pictures.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/io/read_image.h"
#include "engine/io/resize_image.h"
#include "engine/io/safetensors.h"
#include "engine/ops.h"
#include "engine/packed_cache.h"
#include "engine/require.h"
#include "nn/lora/adapter_file.h"

namespace plumb {
namespace {

constexpr const char* kAdapter = "sampled";

/// Pictures drawn together: of one size, with the same steps and guidance.
using Batch = std::span<const PictureFacts>;

std::vector<Batch> batches_of(const std::vector<PictureFacts>& pictures, int64_t most) {
  const auto together = [](const PictureFacts& a, const PictureFacts& b) {
    return a.steps == b.steps && a.width == b.width && a.height == b.height && a.guidance_scale == b.guidance_scale &&
           a.negative.empty() == b.negative.empty();
  };
  std::vector<Batch> batches;
  for (size_t begin = 0; begin < pictures.size();) {
    size_t end = begin + 1;
    while (end < pictures.size() && int64_t(end - begin) < most && together(pictures[begin], pictures[end])) ++end;
    batches.push_back(Batch(pictures).subspan(begin, end - begin));
    begin = end;
  }
  return batches;
}

Image initial_picture(const SampleSettings& s) {
  if (s.init_image.empty()) return {};
  return to_rgb(read_image(s.init_image));
}

/// Without --height or --width pictures are as large as the one they begin from, rounded down to what fits.
SampleSettings sized_like(SampleSettings s, const Pipeline& pipeline, const Image& init) {
  const int64_t multiple = reduction_of(pipeline) * pipeline.unet->multiple_of();
  if (init.width > 0 && !s.width) s.width = std::max(init.width / multiple, int64_t(1)) * multiple;
  if (init.height > 0 && !s.height) s.height = std::max(init.height / multiple, int64_t(1)) * multiple;
  return s;
}

class Drawing {
 public:
  Drawing(const SampleSettings& settings, Pipeline& pipeline, Device device, Image init)
      : s_(settings),
        pipeline_(pipeline),
        device_(device),
        scheduler_(chosen_scheduler(settings, pipeline)),
        init_(std::move(init)) {}

  /// What the network is told; row by row.
  Condition condition(Batch batch, bool negative) const {
    const int64_t count = int64_t(batch.size());
    Condition condition;
    if (takes_text(pipeline_)) condition = negative ? away_from(batch) : towards(batch);
    if (pipeline_.text_encoder_2) {
      const int64_t height = batch[0].height, width = batch[0].width;
      condition.time_ids =
          size_ids({.original_height = height, .original_width = width, .target_height = height, .target_width = width},
                   count)
              .to(device_);
    }
    if (pipeline_.unet->classes() > 0) {
      std::vector<int64_t> labels;
      for (const PictureFacts& facts : batch) labels.push_back(negative ? s_.negative_class.value_or(0) : facts.label);
      condition.labels = from_vector<int64_t>(labels, {count}).to(device_);
    }
    return condition;
  }

  PictureSamplerOptions options(Batch batch) const {
    return {.scheduler = scheduler_,
            .steps = batch[0].steps,
            .eta = s_.eta,
            .guidance = {.scale = batch[0].guidance_scale, .rescale = batch[0].guidance_rescale}};
  }

  int64_t calls(Batch batch) const {
    PictureStart start{.strength = s_.strength};
    if (init_.width > 0) start.init = zeros({1});
    return picture_calls(options(batch), start);
  }

  PictureStart start(Batch batch, PictureNoise& noise) const {
    const int64_t scale = reduction_of(pipeline_);
    PictureStart start{.condition = condition(batch, false),
                       .negative = batch[0].guidance_scale != 1 ? condition(batch, true) : Condition{},
                       .shape = {pipeline_.unet->in_channels(), batch[0].height / scale, batch[0].width / scale},
                       .strength = s_.strength};
    if (init_.width > 0) start.init = begin_at(batch, noise, start.shape);
    return start;
  }

  Pipeline& pipeline() const { return pipeline_; }

  /// f32 [1, C, H, W] of what the network draws, in about [-1, 1].
  Tensor decoded(const Tensor& x) const {
    if (!pipeline_.vae) return x.to(DType::f32);
    NoGrad no_grad;
    const Variable latents(x.to(pipeline_.vae->dtype()));
    return pipeline_.vae->decode(pipeline_.vae->unscaled(latents)).value().to(DType::f32);
  }

 private:
  Condition towards(Batch batch) const {
    std::vector<std::string> texts;
    for (const PictureFacts& facts : batch) texts.push_back(facts.prompt);
    return encode_prompts(text_encoders_of(pipeline_), texts, {.clip_skip = s_.clip_skip});
  }

  /// No negative prompt is not the same as an empty one: SDXL has zeros for it. Batches have either.
  Condition away_from(Batch batch) const {
    std::vector<std::string> texts;
    for (const PictureFacts& facts : batch) texts.push_back(facts.negative);
    std::optional<std::span<const std::string>> given;
    if (!batch[0].negative.empty()) given = texts;
    return encode_negative_prompts(text_encoders_of(pipeline_), given, int64_t(batch.size()));
  }

  /// The initial picture as the network sees it, a row a picture; an autoencoder's sample is the first draw.
  Tensor begin_at(Batch batch, PictureNoise& noise, const Shape& shape) const {
    const PictureFacts& facts = batch[0];
    const Image fitted = resize_image(init_, facts.width, facts.height, ResizeFilter::lanczos);
    NoGrad no_grad;
    const int64_t channels = pipeline_.vae ? pipeline_.vae->options().in_channels : pipeline_.unet->in_channels();
    const Tensor pixels = pixels_of(fitted, channels).to(device_);
    std::vector<Tensor> rows;
    if (!pipeline_.vae) {
      rows.assign(batch.size(), pixels);
      return cat(rows, 0);
    }
    const Tensor draws = noise.next(shape).to(device_);
    const DType dtype = pipeline_.vae->dtype();
    const DiagonalGaussian posterior = pipeline_.vae->encode(Variable(pixels.to(dtype)));
    for (int64_t i = 0; i < int64_t(batch.size()); ++i)
      rows.push_back(pipeline_.vae->scaled(posterior.sample(slice(draws, 0, i, i + 1).to(dtype))).value());
    return cat(rows, 0).to(DType::f32);
  }

  const SampleSettings& s_;
  Pipeline& pipeline_;
  Device device_;
  SchedulerConfig scheduler_;
  Image init_;
};

/// What a run leaves behind, as it goes.
class Results {
 public:
  Results(const SampleSettings& settings, const OutputDir& out, const Flags& flags)
      : s_(settings), out_(out), settings_(to_json(flags.resolved())) {}

  void add(const PictureFacts& facts, const Tensor& drawn, const Tensor& pixels) {
    const bool finite = all(isfinite(drawn), {}, false).item<bool>() && all(isfinite(pixels), {}, false).item<bool>();
    require<UnhealthyError>(finite,
                            "sample: picture {} is not finite ({}); the model is broken, or --guidance_scale too large",
                            count_, s_.model);
    const std::string name = fmt::format("{:05}.png", count_);
    const std::string text = parameters_text(facts);
    const Image picture = picture_of(pixels);
    Json json = settings_;
    json.set("picture", metadata_line(name, facts));
    write_png(out_ / name, picture, {{"parameters", text}, {"plumb", json.dump()}});
    metadata_ += metadata_line(name, facts).dump() + "\n";
    if (s_.grid) pictures_.push_back(picture);
    if (s_.save_tensors) drawn_.emplace(fmt::format("{:05}", count_), drawn.to(kCpu));
    first_ = count_ == 0 ? text : first_;
    ++count_;
  }

  void preview(int64_t picture, int64_t step, const Tensor& pixels) const {
    std::filesystem::create_directories(out_ / "previews");
    write_png(out_ / fmt::format("previews/{:05}-{:05}.png", picture, step), picture_of(pixels));
  }

  int64_t count() const { return count_; }

  void finish() {
    write_file_atomic(out_ / "metadata.jsonl", metadata_);
    if (s_.grid)
      write_png(out_ / "grid.png", grid_of(pictures_), {{"parameters", first_}, {"plumb", settings_.dump()}});
    if (s_.save_tensors) save_safetensors(out_ / "samples.safetensors", drawn_, {{"format", "pt"}});
    if (!s_.global.quiet) std::printf("pictures: %lld in %s\n", static_cast<long long>(count_), out_.path().c_str());
  }

 private:
  const SampleSettings& s_;
  const OutputDir& out_;
  Json settings_;
  std::string metadata_, first_;
  std::vector<Image> pictures_;
  TensorMap drawn_;
  int64_t count_ = 0;
};

void draw(const SampleSettings& s, Drawing& drawing, Batch batch, Results& results, Progress& progress) {
  std::vector<uint64_t> seeds;
  for (const PictureFacts& facts : batch) seeds.push_back(uint64_t(facts.seed));
  PictureNoise noise(s.rng == "torch" ? PictureRng::torch : PictureRng::plumb, std::move(seeds));
  const PictureStart start = drawing.start(batch, noise);
  Pipeline& pipeline = drawing.pipeline();
  const Tensor x = sample_pictures(*pipeline.unet, start, noise, drawing.options(batch), [&](const PictureStep& step) {
    progress.advance();
    if (s.preview_steps == 0 || step.done % s.preview_steps != 0 || step.done == step.calls) return;
    for (int64_t i = 0; i < int64_t(batch.size()); ++i) {
      const Tensor row = slice(step.x, 0, i, i + 1);
      const bool cheap = pipeline.vae && !s.preview_vae;
      results.preview(results.count() + i, step.done, cheap ? latent_preview(row) : drawing.decoded(row));
    }
  });
  for (int64_t i = 0; i < int64_t(batch.size()); ++i) {
    const Tensor row = slice(x, 0, i, i + 1);
    results.add(batch[size_t(i)], row, drawing.decoded(row));
  }
}

}  // namespace

void sample_pictures(const Flags& flags, const SampleSettings& s, Device device) {
  refuse_point_flags(flags);
  const DType dtype = compute_dtype(s.mixed_precision, "sample");
  require<UsageError>(dtype == DType::f32 || device.is_cuda(),
                      "sample: --mixed_precision bf16 is for a CUDA device; leave it out (--device {})",
                      s.global.device);
  if (s.pack_memory_mib) set_packed_cache_limit(*s.pack_memory_mib << 20);
  Pipeline pipeline = load_pipeline(s.model, {.variant = s.variant, .dtype = dtype, .tokenizer = s.tokenizer});
  if (!s.adapter.empty()) load_adapter(*pipeline.unet, kAdapter, s.adapter);
  if (s.vae_tiling && pipeline.vae) pipeline.vae->set_tiling(true);
  Image init = initial_picture(s);
  const SampleSettings settings = sized_like(s, pipeline, init);
  if (device.is_cpu() && !s.vae_tiling)
    require_memory("sample", pipeline,
                   {.training = false,
                    .batch = s.batch_size,
                    .height = settings.height.value_or(0),
                    .width = settings.width.value_or(0)});
  const std::vector<PictureFacts> pictures = plan_pictures(settings, pipeline);
  Drawing drawing(settings, pipeline, device, std::move(init));
  const std::vector<Batch> batches = batches_of(pictures, s.batch_size);
  int64_t calls = 0;
  for (const Batch batch : batches) calls += drawing.calls(batch);
  to_device(pipeline, device);
  const AdapterScope scope(*pipeline.unet, s.adapter.empty() ? "none" : kAdapter);
  const OutputDir out(s.global.out);
  write_config(out / "config.toml", "sample", flags.resolved());
  Results results(s, out, flags);
  {
    Progress progress({.description = "Steps", .total = calls, .quiet = s.global.quiet});
    for (const Batch batch : batches) draw(settings, drawing, batch, results, progress);
  }
  results.finish();
}

}  // namespace plumb
