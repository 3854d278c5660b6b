#include "diffusion/sampler/picture_noise.h"

#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {

PictureNoise::PictureNoise(PictureRng rng, std::vector<uint64_t> seeds) : rng_(rng), seeds_(std::move(seeds)) {
  require<ValueError>(!seeds_.empty(), "picture noise: needs at least one seed ({})", seeds_.size());
  if (rng == PictureRng::torch)
    for (const uint64_t seed : seeds_) generators_.emplace_back(seed);
}

Tensor PictureNoise::next(const Shape& shape) {
  Shape one{1};
  for (const int64_t size : shape) one.push_back(size);
  std::vector<Tensor> rows;
  for (size_t i = 0; i < seeds_.size(); ++i)
    rows.push_back(rng_ == PictureRng::torch
                       ? randn(generators_[i], one)
                       : randn(RandomKey{.seed = seeds_[i]}.fork("picture").at_step(draws_), one));
  ++draws_;
  return cat(rows, 0);
}

}  // namespace plumb
