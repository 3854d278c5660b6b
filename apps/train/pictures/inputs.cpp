#include "apps/train/pictures/inputs.h"

#include "autograd/grad_mode.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"

namespace plumb::train {
namespace {

Shape sample_shape(const Pipeline& pipeline, const PictureTransform& transform) {
  const int64_t side = transform.resolution / (pipeline.vae ? pipeline.vae->options().reduction() : 1);
  return {pipeline.unet->in_channels(), side, side};
}

}  // namespace

Inputs::Inputs(const PictureSettings& settings, const PictureDataset& data, Pipeline& pipeline,
               const PictureTransform& transform, const RandomKey& key)
    : settings_(settings),
      data_(data),
      pipeline_(pipeline),
      key_(key),
      timesteps_(pipeline.scheduler.noise.num_train_timesteps),
      shape_(sample_shape(pipeline, transform)),
      batches_(data, transform, settings.effective_batch(), key,
               {.workers = settings.workers, .memory = uint64_t(settings.memory_mib) << 20}) {
  const int64_t rows = settings.effective_batch();
  pixels_ = zeros({rows, transform.channels, transform.resolution, transform.resolution}, DType::f32, settings.device);
  if (pipeline.unet->classes() > 0) labels_ = zeros({rows}, DType::i64, settings.device);
}

void Inputs::go_to(int64_t step) {
  const PictureBatch batch = batches_.at(step);
  pixels_.copy_(batch.pixels);
  read_labels(batch.samples);
}

void Inputs::read_labels(const std::vector<int64_t>& samples) {
  if (!labels_.defined()) return;
  Tensor labels = empty({int64_t(samples.size())}, DType::i64);
  for (size_t i = 0; i < samples.size(); ++i)
    labels.mutable_data<int64_t>()[i] = data_.samples[size_t(samples[i])].label;
  labels_.copy_(labels);
}

DenoisingBatch Inputs::batch(int64_t step, int64_t part) const {
  const int64_t begin = part * settings_.batch, end = begin + settings_.batch;
  const RandomKey key = key_.at_step(uint64_t(step)).at_sample(uint64_t(begin));
  return {.x0 = clean(key, begin, end),
          .noise = noise(key, settings_.batch),
          .t = randint(key.fork("t"), 0, timesteps_, {settings_.batch}, settings_.device),
          .condition = condition(begin, end)};
}

/// Rows of the step as the network sees them. Latents are drawn from what the autoencoder says of a picture.
Tensor Inputs::clean(const RandomKey& key, int64_t begin, int64_t end) const {
  const Tensor pixels = slice(pixels_, 0, begin, end);
  if (!pipeline_.vae) return pixels;
  const NoGrad no_grad;
  const Variable latents = pipeline_.vae->encode(Variable(pixels.to(pipeline_.vae->dtype()))).sample(key.fork("latents"));
  return pipeline_.vae->scaled(latents).value().to(DType::f32);
}

Tensor Inputs::noise(const RandomKey& key, int64_t rows) const {
  const Tensor plain = randn(key.fork("noise"), {rows, shape_[0], shape_[1], shape_[2]}, DType::f32, settings_.device);
  if (settings_.noise_offset == 0) return plain;
  const Tensor offset = randn(key.fork("offset"), {rows, shape_[0], 1, 1}, DType::f32, settings_.device);
  return plain + settings_.noise_offset * offset;
}

Condition Inputs::condition(int64_t begin, int64_t end) const {
  Condition condition;
  if (labels_.defined()) condition.labels = slice(labels_, 0, begin, end);
  return condition;
}

}  // namespace plumb::train
