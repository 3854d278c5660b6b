#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "align/worlds/shapes/analyser.h"

namespace plumb::shapes {

/// A way pictures are made worse before they are read.
struct Damage {
  std::string name = "clean";
  double noise = 0;   ///< standard deviation of a normal added to every channel
  double soften = 0;  ///< Gaussian blur on top of the scene's own, pixels
  double fade = 0;    ///< share of the ground mixed into every pixel
};
/// Clean; noise of 1, 3 and 5%; softened by half a pixel and one; faded by 10%; soft and noisy together.
const std::vector<Damage>& damages();

/// How pictures of known content were read.
struct Certificate {
  Damage damage;
  int64_t pictures = 0;
  int64_t right = 0;       ///< same_content, quality left out where the damage is a blur
  int64_t unreadable = 0;  ///< the rest is wrong
  int64_t wrong() const { return pictures - right - unreadable; }
  int64_t quality_right = 0;  ///< among the readable
  double mean_residual = 0, worst_misfit = 0;
  std::map<std::string, int64_t> problems = {};
  /// Objects of each shape (first index) by the shape they were read as; matched by place.
  std::array<std::array<int64_t, kShapeKinds>, kShapeKinds> shapes = {};
  std::array<std::array<int64_t, kHues>, kHues> hues = {};
};

/// Reads `count` pictures of all categories and all pairs, on all threads. A function of its arguments.
Certificate certify(const World& world, const RandomKey& key, int64_t count, const Damage& damage);

/// A picture made worse; `key` draws the noise.
Image damaged(const Scene& scene, int64_t size, const Damage& damage, const RandomKey& key);

}  // namespace plumb::shapes
