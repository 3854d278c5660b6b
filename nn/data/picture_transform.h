#pragma once

#include <cstdint>

#include "engine/io/image.h"
#include "engine/io/resize_image.h"
#include "engine/random/random_key.h"

namespace plumb {

/// How pictures of any size become squares of one size; names and meaning are those of diffusers' training scripts.
struct PictureTransform {
  int64_t resolution = 512;
  bool center_crop = false;  ///< else a random square
  bool random_flip = false;
  ResizeFilter filter = ResizeFilter::lanczos;
  int64_t channels = 3;  ///< or 1: grey, as Pillow's convert("L")

  /// Throws ValueError naming what is impossible.
  void check() const;
};

/// The square that is taken from a resized picture.
struct PictureCrop {
  int64_t top = 0, left = 0;
  bool flip = false;
  bool operator==(const PictureCrop&) const = default;
};

/// Pixels as the transform wants them before it crops: in its channels, the shorter side `resolution` long, the other
/// int(resolution * longer / shorter), as torchvision's Resize makes them.
Image resized(Image image, const PictureTransform& transform);

/// The crop of one sample; its draws are those of `key`'s sample0. The middle is torchvision's: half the difference,
/// rounded to even.
PictureCrop choose_crop(const Image& image, const PictureTransform& transform, const RandomKey& key);

/// Its `flip` alone.
bool choose_flip(const PictureTransform& transform, const RandomKey& key);

/// Cuts the square out, mirrors it if asked to, and writes it as [channels, resolution, resolution] numbers in [-1, 1]:
/// (value / 255 - 0.5) / 0.5 in f32.
void to_floats(const Image& image, const PictureTransform& transform, const PictureCrop& crop, float* out);

}  // namespace plumb
