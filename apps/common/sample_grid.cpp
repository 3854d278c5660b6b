#include "apps/common/sample_grid.h"

#include <algorithm>
#include <filesystem>

#include "apps/common/picture_image.h"
#include "apps/common/picture_shape.h"
#include "autograd/grad_mode.h"
#include "diffusion/pipeline/pipeline_text.h"
#include "engine/format.h"
#include "engine/io/png.h"
#include "engine/ops.h"

namespace plumb {

SampleGrid::SampleGrid(const SampleGridOptions& options, Pipeline& pipeline)
    : options_(options),
      pipeline_(pipeline),
      text_(pipeline.unet->context_features() > 0),
      classes_(pipeline.unet->classes() == 0 ? 0
               : options.classes > 0         ? options.classes
                                             : pipeline.unet->classes()),
      count_(options.count),
      shape_(sample_shape(pipeline, options.resolution)) {
  if (!text_) return;
  if (options_.prompts.empty()) options_.prompts.emplace_back();
  count_ = int64_t(options_.prompts.size());
}

PictureStart SampleGrid::start() {
  PictureStart start{.shape = shape_};
  if (classes_ > 0) {
    std::vector<int64_t> labels;
    for (int64_t i = 0; i < count_; ++i) labels.push_back(i % classes_);
    start.condition.labels = from_vector(labels, {count_}).to(options_.device);
  }
  if (!text_) return start;
  if (!positive_.context.defined() || options_.text_changes) {
    const TextEncoders encoders = text_encoders_of(pipeline_);
    positive_ = encode_prompts(encoders, options_.prompts);
    negative_ = encode_negative_prompts(encoders, std::nullopt, count_);
    if (positive_.pooled.defined()) {
      const int64_t side = options_.resolution;
      const Tensor ids = size_ids({side, side, 0, 0, side, side}, count_).to(options_.device);
      positive_.time_ids = negative_.time_ids = ids;
    }
  }
  const Tensor labels = start.condition.labels;
  start.condition = positive_, start.negative = negative_;
  start.condition.labels = start.negative.labels = labels;
  return start;
}

std::string SampleGrid::facts() const {
  std::string text;
  for (const std::string& prompt : options_.prompts) text += prompt + "\n";
  return text + fmt::format("sampler ddim, steps {}, guidance {}, seeds {} to {}", options_.steps,
                            options_.guidance_scale, options_.seed, options_.seed + count_ - 1);
}

std::vector<Image> SampleGrid::draw(Denoiser& network) {
  const NoGrad no_grad;
  std::vector<uint64_t> seeds;
  for (int64_t i = 0; i < count_; ++i) seeds.push_back(uint64_t(options_.seed + i));
  PictureNoise noise(PictureRng::plumb, std::move(seeds));
  const PictureStart from = start();
  PictureSamplerOptions options{.scheduler = with_sampler(pipeline_.scheduler, "ddim")};
  options.steps = std::min(options_.steps, pipeline_.scheduler.noise.num_train_timesteps);
  if (text_) options.guidance.scale = options_.guidance_scale;
  Tensor pictures = sample_pictures(network, from, noise, options);
  if (pipeline_.vae) {
    const Variable latents = pipeline_.vae->unscaled(Variable(pictures));
    pictures = pipeline_.vae->decode(Variable(latents.value().to(pipeline_.vae->dtype()))).value().to(DType::f32);
  }
  std::vector<Image> images;
  for (int64_t i = 0; i < pictures.size(0); ++i) images.push_back(picture_of(pictures, i));
  return images;
}

void SampleGrid::write_step(const std::string& folder, int64_t step, Denoiser& network) {
  const std::vector<Image> images = draw(network);
  std::filesystem::create_directories(folder);
  const GridOptions grid{.columns = classes_ > 1 ? std::min<int64_t>(classes_, 8) : 0, .gap = 2, .ground = 255};
  write_png(fmt::format("{}/step-{:08}.png", folder, step), grid_of(images, grid),
            {{"parameters", fmt::format("{}\nstep {}", facts(), step)}});
}

}  // namespace plumb
