#pragma once

#include <array>
#include <vector>

#include "align/worlds/mixture2d.h"
#include "diffusion/schedule/noise_schedule.h"
#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

struct Gaussians2dOptions {
  int64_t classes = 6;          ///< K >= 2 modes, evenly spaced on a ring
  double radius = 2;            ///< of the ring
  double sigma = 0.3;           ///< standard deviation of a clean mode
  double noise_fraction = 0.3;  ///< share of a class's noisy samples that sit at a neighbouring mode, label kept
  double inflation = 1.5;       ///< factor on the standard deviation of every noisy sample
};

/// The 2D world of the DDSPO paper (Sec. 4.1): each condition is one mode of a mixture; the data a reference model
/// learns from is contaminated. Everything about it is known exactly.
class Gaussians2d {
 public:
  /// Throws ValueError for fewer than two classes, a radius or sigma that is not positive, a noise fraction outside
  /// [0, 1], an inflation that is not positive.
  explicit Gaussians2d(const Gaussians2dOptions& options = {});

  const Gaussians2dOptions& options() const { return options_; }
  int64_t classes() const { return options_.classes; }
  std::array<double, 2> center(int64_t label) const;
  /// f32 [K, 2].
  Tensor centers() const;
  /// The mode next to `label` on the ring; side 0: the one after it, 1: the one before.
  int64_t neighbor(int64_t label, int64_t side) const;

  /// p(x0 | label) of the clean world: one Gaussian.
  const Mixture2d& clean(int64_t label) const { return clean_[size_t(label)]; }
  /// p(x0 | label) of the contaminated data: own mode and both neighbours, inflated.
  const Mixture2d& noisy(int64_t label) const { return noisy_[size_t(label)]; }

  /// One draw per label: labels i64 [N] -> f32 [N, 2]. Row i depends on the key and i alone. Throws IndexError.
  Tensor sample_clean(const Tensor& labels, const RandomKey& key) const;
  Tensor sample_noisy(const Tensor& labels, const RandomKey& key) const;

  /// The exact epsilon prediction -sigma_t * score of the clean modes at x_t. x: [N, 2] · labels, t: i64 [N] · like x.
  Tensor clean_noise(const NoiseSchedule& schedule, const Tensor& x, const Tensor& t, const Tensor& labels) const;
  /// The same for the contaminated data: what a perfect reference model would predict.
  Tensor noisy_noise(const NoiseSchedule& schedule, const Tensor& x, const Tensor& t, const Tensor& labels) const;

 private:
  Tensor sample_from(const std::vector<Mixture2d>& mixtures, const Tensor& labels, const RandomKey& key) const;
  Tensor exact_noise(const std::vector<Mixture2d>& mixtures, const NoiseSchedule& schedule, const Tensor& x,
                     const Tensor& t, const Tensor& labels) const;

  Gaussians2dOptions options_;
  std::vector<Mixture2d> clean_, noisy_;
};

/// i64 [classes * count]: `count` zeros, then `count` ones, …
Tensor labels_by_class(int64_t classes, int64_t count);

}  // namespace plumb
