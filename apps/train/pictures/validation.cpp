#include "apps/train/pictures/validation.h"

#include <cmath>
#include <filesystem>

#include "apps/common/picture_grid.h"
#include "autograd/grad_mode.h"
#include "diffusion/sampler/sample_pictures.h"
#include "engine/format.h"
#include "engine/io/png.h"
#include "engine/ops.h"

namespace plumb::train {

Validation::Validation(const PictureSettings& settings, Pipeline& pipeline, const Shape& shape, int64_t classes)
    : settings_(settings), pipeline_(pipeline), shape_(shape), classes_(classes) {}

void Validation::draw(int64_t step) {
  const NoGrad no_grad;
  const int64_t count = settings_.num_validation_images;
  std::vector<uint64_t> seeds;
  for (int64_t i = 0; i < count; ++i) seeds.push_back(uint64_t(settings_.global.seed + i));
  PictureNoise noise(PictureRng::plumb, std::move(seeds));
  PictureStart start{.shape = shape_};
  if (classes_ > 0) {
    Tensor labels = empty({count}, DType::i64);
    for (int64_t i = 0; i < count; ++i) labels.mutable_data<int64_t>()[i] = i % classes_;
    start.condition.labels = labels.to(settings_.device);
  }
  const int64_t steps = std::min(settings_.validation_inference_steps, pipeline_.scheduler.noise.num_train_timesteps);
  const PictureSamplerOptions options{.scheduler = with_sampler(pipeline_.scheduler, "ddim"), .steps = steps};
  Tensor pictures = sample_pictures(*pipeline_.unet, start, noise, options);
  if (pipeline_.vae) {
    const Variable latents = pipeline_.vae->unscaled(Variable(pictures));
    pictures = pipeline_.vae->decode(Variable(latents.value().to(pipeline_.vae->dtype()))).value().to(DType::f32);
  }
  const std::filesystem::path folder = std::filesystem::path(settings_.global.out) / "samples";
  std::filesystem::create_directories(folder);
  const int64_t columns = classes_ > 1 ? std::min<int64_t>(classes_, 8) : int64_t(std::ceil(std::sqrt(double(count))));
  write_png(folder / fmt::format("step-{:08}.png", step), picture_grid(pictures, columns),
            {{"parameters", fmt::format("step {}, sampler ddim, steps {}, seeds {} to {}", step, steps,
                                        settings_.global.seed, settings_.global.seed + count - 1)}});
}

}  // namespace plumb::train
