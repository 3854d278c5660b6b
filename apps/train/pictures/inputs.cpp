#include "apps/train/pictures/inputs.h"

#include "apps/common/picture_shape.h"
#include "autograd/grad_mode.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb::train {
namespace {

Tensor rows_of(const Tensor& tensor, int64_t begin, int64_t end) {
  return tensor.defined() ? slice(tensor, 0, begin, end) : tensor;
}

}  // namespace

Inputs::Inputs(const PictureSettings& settings, const PictureDataset& data, Pipeline& pipeline,
               const PictureTransform& transform, const RandomKey& key)
    : settings_(settings),
      data_(data),
      pipeline_(pipeline),
      key_(key),
      timesteps_(pipeline.scheduler.noise.num_train_timesteps),
      shape_(sample_shape(pipeline, transform.resolution)),
      batches_(data, transform, settings.effective_batch(), key,
               {.workers = settings.workers, .memory = uint64_t(settings.memory_mib) << 20}) {
  require<UsageError>(pipeline.unet->context_features() == 0 || data.has_captions,
                      "train: the network looks at text, but the pictures have no captions (column \"{}\"); {}",
                      settings.caption_column, settings.train_data_dir);
}

void Inputs::prepare() {
  if (settings_.train_text_encoder)
    tokens_ = std::make_unique<CaptionTokens>(settings_, data_, pipeline_);
  else if (pipeline_.unet->context_features() > 0)
    texts_ = std::make_unique<Texts>(settings_, data_, pipeline_);
  if (pipeline_.vae && settings_.cache_latents && settings_.transform.center_crop)
    latents_ = std::make_unique<Latents>(LatentsOptions{.transform = settings_.transform,
                                                        .workers = settings_.workers,
                                                        .folder = settings_.global.out + "/cache",
                                                        .device = settings_.device,
                                                        .quiet = settings_.global.quiet},
                                         data_, pipeline_);
}

/// The first step finds the place that all others write to.
void Inputs::place(Tensor& kept, const Tensor& found) const {
  if (kept.defined()) {
    kept.copy_(found);
  } else {
    kept = found.clone().to(settings_.device);
  }
}

void Inputs::go_to(int64_t step) {
  std::vector<PictureOrigin> origins;
  const std::vector<int64_t> samples = read_pictures(step, origins);
  read_labels(samples);
  if (tokens_) read_tokens(step, samples);
  if (texts_) read_texts(step, samples, origins);
}

std::vector<int64_t> Inputs::read_pictures(int64_t step, std::vector<PictureOrigin>& origins) {
  if (latents_) {
    const std::vector<int64_t> samples = batches_.samples(step);
    place(pixels_, latents_->moments(samples, batches_.crop_key(step)));
    origins = latents_->origins(samples);
    return samples;
  }
  const PictureBatch batch = batches_.at(step);
  place(pixels_, batch.pixels);
  origins = batch.origins;
  return batch.samples;
}

void Inputs::read_labels(const std::vector<int64_t>& samples) {
  if (pipeline_.unet->classes() == 0) return;
  std::vector<int64_t> labels;
  for (const int64_t sample : samples) labels.push_back(data_.samples[size_t(sample)].label);
  place(condition_.labels, from_vector(labels, {int64_t(labels.size())}));
}

void Inputs::read_tokens(int64_t step, const std::vector<int64_t>& samples) {
  place(condition_.tokens, tokens_->of(samples, key_.at_step(uint64_t(step))));
}

void Inputs::read_texts(int64_t step, const std::vector<int64_t>& samples, const std::vector<PictureOrigin>& origins) {
  const Condition found = texts_->of(samples, key_.at_step(uint64_t(step)));
  place(condition_.context, found.context);
  if (!found.pooled.defined()) return;
  place(condition_.pooled, found.pooled);
  std::vector<Tensor> ids;
  for (const PictureOrigin& origin : origins)
    ids.push_back(size_ids({.original_height = origin.height,
                            .original_width = origin.width,
                            .crop_top = origin.top,
                            .crop_left = origin.left,
                            .target_height = settings_.transform.resolution,
                            .target_width = settings_.transform.resolution},
                           1));
  place(condition_.time_ids, cat(ids, 0));
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
  const DiagonalGaussian found(Variable(latents_ ? pixels : moments_of(*pipeline_.vae, pixels)));
  return pipeline_.vae->scaled(found.sample(key.fork("latents"))).value();
}

Tensor Inputs::noise(const RandomKey& key, int64_t rows) const {
  const Tensor plain = randn(key.fork("noise"), {rows, shape_[0], shape_[1], shape_[2]}, DType::f32, settings_.device);
  if (settings_.noise_offset == 0) return plain;
  const Tensor offset = randn(key.fork("offset"), {rows, shape_[0], 1, 1}, DType::f32, settings_.device);
  return plain + settings_.noise_offset * offset;
}

Condition Inputs::condition(int64_t begin, int64_t end) const {
  return {.labels = rows_of(condition_.labels, begin, end),
          .context = rows_of(condition_.context, begin, end),
          .pooled = rows_of(condition_.pooled, begin, end),
          .time_ids = rows_of(condition_.time_ids, begin, end),
          .tokens = rows_of(condition_.tokens, begin, end)};
}

}  // namespace plumb::train
