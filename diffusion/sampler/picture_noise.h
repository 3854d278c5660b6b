#pragma once

#include <cstdint>
#include <vector>

#include "engine/random/generator.h"
#include "engine/tensor.h"

namespace plumb {

/// Where the noise of pictures comes from.
enum class PictureRng {
  plumb,  ///< counter-based: draw k of a picture is a function of its seed and k
  torch,  ///< torch's CPU generator, one a picture, as diffusers uses a list of them
};

/// The draws of some pictures, each from its own seed: a picture is the same whatever others are drawn with it.
class PictureNoise {
 public:
  PictureNoise(PictureRng rng, std::vector<uint64_t> seeds);

  int64_t pictures() const { return int64_t(seeds_.size()); }
  /// The next draw: unit normal f32, [pictures, C, H, W] for a shape [C, H, W]. On the CPU; the caller moves it.
  Tensor next(const Shape& shape);

 private:
  PictureRng rng_;
  std::vector<uint64_t> seeds_;
  std::vector<Generator> generators_;
  uint64_t draws_ = 0;
};

}  // namespace plumb
