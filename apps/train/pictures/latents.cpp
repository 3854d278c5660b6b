#include "apps/train/pictures/latents.h"

#include "apps/train/pictures/model.h"
#include "autograd/grad_mode.h"
#include "engine/format.h"
#include "engine/io/sha256.h"
#include "engine/ops.h"

namespace plumb::train {
namespace {

constexpr int64_t kTogether = 4;  // pictures in the autoencoder

/// When each file was last written: an edited picture may keep its name and size.
std::string times_of(const PictureDataset& data) {
  Sha256 hash;
  std::string last;
  for (const PictureSample& sample : data.samples) {
    if (sample.source.file == last) continue;
    last = sample.source.file;
    const int64_t time = int64_t(std::filesystem::last_write_time(last).time_since_epoch().count());
    hash.update(&time, sizeof time);
  }
  return hash.finish_hex();
}

std::string key_of(const PictureTransform& transform, const PictureDataset& data, Pipeline& pipeline) {
  return sha256_hex(fmt::format("{} {} {} {} {} {} {} {}", hash_of(data), times_of(data), fingerprint(*pipeline.vae),
                                std::string(name_of(pipeline.vae->dtype())), transform.resolution, transform.channels,
                                std::string(name_of(transform.filter)), transform.random_flip));
}

/// Original height and width, top and left of the crop, a row each.
Tensor rows_of_origins(const std::vector<PictureOrigin>& origins) {
  std::vector<float> rows;
  for (const PictureOrigin& origin : origins)
    for (const int64_t value : {origin.height, origin.width, origin.top, origin.left}) rows.push_back(float(value));
  return from_vector(rows, {int64_t(origins.size()), 4});
}

}  // namespace

Tensor moments_of(AutoencoderKL& vae, const Tensor& pixels) {
  const NoGrad no_grad;
  const DiagonalGaussian found = vae.encode(Variable(pixels.to(vae.dtype())));
  return cat({found.mean().value(), found.logvar().value()}, 1).to(DType::f32);
}

Latents::Latents(const LatentsOptions& options, const PictureDataset& data, Pipeline& pipeline)
    : transform_(options.transform) {
  PictureTransform plain = transform_;
  plain.random_flip = false;
  const int64_t count = int64_t(data.samples.size()), variants = transform_.random_flip ? 2 : 1;
  constexpr int64_t kPicturesAFile = 128;
  const auto plan = [&](int64_t batch) {
    std::vector<int64_t> samples;
    for (int64_t i = kTogether * batch; i < std::min(count, kTogether * (batch + 1)); ++i) samples.push_back(i);
    return PictureLoader::Plan{samples, {}};
  };
  PictureLoader loader(data, plain, plan, {.workers = options.workers, .memory = 0});
  const auto make = [&](int64_t begin, int64_t end) {
    std::vector<Tensor> moments, origins;
    for (int64_t batch = begin / variants / kTogether; batch * kTogether * variants < end; ++batch) {
      const PictureBatch pictures = loader.at(batch);
      const Tensor pixels = pictures.pixels.to(options.device);
      std::vector<Tensor> both = {unsqueeze(moments_of(*pipeline.vae, pixels).to(kCpu), 1)};
      if (variants == 2) both.push_back(unsqueeze(moments_of(*pipeline.vae, flip(pixels, {3})).to(kCpu), 1));
      moments.push_back(flatten(cat(both, 1), 0, 1));
      const Tensor origin = unsqueeze(rows_of_origins(pictures.origins), 1);
      origins.push_back(flatten(expand(origin, {origin.size(0), variants, 4}).contiguous(), 0, 1));
    }
    return TensorMap{{"moments", cat(moments, 0)}, {"origins", cat(origins, 0)}};
  };
  cache_ = std::make_unique<RowCache>(options.folder,
                                      RowCache::Options{.name = "latents",
                                                        .key = key_of(transform_, data, pipeline),
                                                        .rows = count * variants,
                                                        .rows_a_file = kPicturesAFile * variants,
                                                        .quiet = options.quiet},
                                      make);
}

std::vector<int64_t> Latents::rows_of(const std::vector<int64_t>& samples, const RandomKey& key) const {
  std::vector<int64_t> rows;
  for (size_t i = 0; i < samples.size(); ++i) {
    const bool flip = choose_flip(transform_, key.at_sample(key.sample0 + i));
    rows.push_back(transform_.random_flip ? 2 * samples[i] + int64_t(flip) : samples[i]);
  }
  return rows;
}

Tensor Latents::moments(const std::vector<int64_t>& samples, const RandomKey& key) const {
  return cache_->gather("moments", rows_of(samples, key));
}

std::vector<PictureOrigin> Latents::origins(const std::vector<int64_t>& samples) const {
  std::vector<int64_t> rows = samples;
  for (int64_t& row : rows) row *= transform_.random_flip ? 2 : 1;
  const std::vector<float> values = cache_->gather("origins", rows).to_vector<float>();
  std::vector<PictureOrigin> origins;
  for (size_t i = 0; i < values.size(); i += 4)
    origins.push_back({int64_t(values[i]), int64_t(values[i + 1]), int64_t(values[i + 2]), int64_t(values[i + 3])});
  return origins;
}

}  // namespace plumb::train
