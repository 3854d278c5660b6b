#pragma once

#include "align/worlds/gaussians2d.h"

namespace plumb {

/// How far a set of conditional samples is from the clean world. Distances are in units of the clean sigma; every
/// number is computed a class at a time and averaged over classes.
struct ModeMetrics {
  double accuracy = 0;         ///< share whose nearest centre is their condition's
  double center_distance = 0;  ///< distance of the sample mean from the true centre
  double radial_shift = 0;     ///< its outward part, signed
  double spread = 0;           ///< sample standard deviation (over both axes) / sigma
  double sw2 = 0;              ///< sliced 2-Wasserstein distance to clean samples, 128 fixed directions
  double energy = 0;           ///< energy distance 2 E|X-Y| - E|X-X'| - E|Y-Y'|
  double outliers = 0;         ///< share farther than 4 sigma from every centre
  double overlap = 0;          ///< share nearer to a neighbour's centre than to their own
};

/// Clean samples to compare with, prepared once: sorted projections and mean self-distance of each class.
class ModeReference {
 public:
  /// `per_class` fresh clean samples a class. Throws ValueError when per_class < 1.
  ModeReference(const Gaussians2d& world, int64_t per_class, const RandomKey& key);

  /// samples: f32 [K, S, 2] with S the reference's per_class; non-finite samples make the distances NaN.
  /// Throws ShapeError.
  ModeMetrics evaluate(const Tensor& samples) const;

 private:
  ModeMetrics evaluate_class(int64_t label, const float* points) const;

  const Gaussians2d& world_;
  int64_t per_class_;
  std::vector<float> points_;                    // [K, S, 2]
  std::vector<std::vector<float>> projections_;  // [K][128 * S], each run of S sorted
  std::vector<double> self_distance_;            // [K], E|Y - Y'|
};

}  // namespace plumb
