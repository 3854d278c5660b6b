#include "apps/train/pictures/validation.h"

#include <algorithm>
#include <filesystem>

#include "apps/common/picture_image.h"
#include "autograd/grad_mode.h"
#include "diffusion/pipeline/pipeline_text.h"
#include "engine/format.h"
#include "engine/io/png.h"
#include "engine/ops.h"

namespace plumb::train {
namespace {

Tensor labels_in_turn(int64_t count, int64_t classes) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) labels.push_back(i % classes);
  return from_vector(labels, {count});
}

}  // namespace

Validation::Validation(const PictureSettings& settings, Pipeline& pipeline, const Shape& shape, int64_t classes)
    : settings_(settings),
      pipeline_(pipeline),
      shape_(shape),
      classes_(classes),
      prompts_(settings.validation_prompts),
      count_(settings.num_validation_images) {
  if (pipeline.unet->context_features() == 0) return;
  if (prompts_.empty()) prompts_.emplace_back();
  count_ = int64_t(prompts_.size());
}

void Validation::set_conditions(PictureStart& start) {
  if (classes_ > 0) start.condition.labels = labels_in_turn(count_, classes_).to(settings_.device);
  if (pipeline_.unet->context_features() == 0) return;
  if (!positive_.context.defined() || settings_.train_text_encoder) {
    const TextEncoders encoders = text_encoders_of(pipeline_);
    positive_ = encode_prompts(encoders, prompts_);
    negative_ = encode_negative_prompts(encoders, std::nullopt, count_);
    if (positive_.pooled.defined()) {
      const int64_t side = settings_.transform.resolution;
      const Tensor ids = size_ids({side, side, 0, 0, side, side}, count_).to(settings_.device);
      positive_.time_ids = negative_.time_ids = ids;
    }
  }
  const Tensor labels = start.condition.labels;
  start.condition = positive_;
  start.negative = negative_;
  start.condition.labels = start.negative.labels = labels;
}

std::string Validation::facts(int64_t step) const {
  std::string text;
  for (const std::string& prompt : prompts_) text += prompt + "\n";
  return text + fmt::format("step {}, sampler ddim, steps {}, seeds {} to {}", step,
                            settings_.validation_inference_steps, settings_.global.seed,
                            settings_.global.seed + count_ - 1);
}

void Validation::draw(int64_t step) {
  const NoGrad no_grad;
  std::vector<uint64_t> seeds;
  for (int64_t i = 0; i < count_; ++i) seeds.push_back(uint64_t(settings_.global.seed + i));
  PictureNoise noise(PictureRng::plumb, std::move(seeds));
  PictureStart start{.shape = shape_};
  set_conditions(start);
  PictureSamplerOptions options{.scheduler = with_sampler(pipeline_.scheduler, "ddim")};
  options.steps = std::min(settings_.validation_inference_steps, pipeline_.scheduler.noise.num_train_timesteps);
  if (start.negative.context.defined()) options.guidance.scale = settings_.guidance_scale;
  Tensor pictures = sample_pictures(*pipeline_.unet, start, noise, options);
  if (pipeline_.vae) {
    const Variable latents = pipeline_.vae->unscaled(Variable(pictures));
    pictures = pipeline_.vae->decode(Variable(latents.value().to(pipeline_.vae->dtype()))).value().to(DType::f32);
  }
  const std::filesystem::path folder = std::filesystem::path(settings_.global.out) / "samples";
  std::filesystem::create_directories(folder);
  std::vector<Image> images;
  for (int64_t i = 0; i < pictures.size(0); ++i) images.push_back(picture_of(pictures, i));
  const GridOptions grid{.columns = classes_ > 1 ? std::min<int64_t>(classes_, 8) : 0, .gap = 2, .ground = 255};
  write_png(folder / fmt::format("step-{:08}.png", step), grid_of(images, grid), {{"parameters", facts(step)}});
}

}  // namespace plumb::train
