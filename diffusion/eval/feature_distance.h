#pragma once

#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

// Distances between two sets of pictures by what a network makes of them. x, y: floating [N, D], [M, D], on the CPU;
// computed in f64. All throw ShapeError, DTypeError, and NumericError for a number that is not finite.

/// The Fréchet distance of the normal distributions with the sets' means and (N - 1) covariances:
///   |mx - my|^2 + tr(Sx + Sy - 2 (Sx^1/2 Sy Sx^1/2)^1/2)                           [Heusel et al. 2017: FID]
/// Never negative. Its bias depends on N: compare only numbers of one sample count and one feature space.
double frechet_distance(const Tensor& x, const Tensor& y);

struct KernelDistanceOptions {
  int64_t subsets = 100;
  int64_t subset_size = 1000;  ///< at most; never more than either set has
};

/// Mean and deviation over subsets.
struct KernelDistance {
  double mean, deviation;
  int64_t subset_size;
};

/// The unbiased squared maximum mean discrepancy with kernel (x.y / D + 1)^3, over random subsets.
///                                                                               [Bińkowski et al. 2018: KID]
/// Unbiased at any sample count; slightly negative values are no mistake. Throws ValueError for options below 1, and
/// sets of fewer than two.
KernelDistance kernel_distance(const Tensor& x, const Tensor& y, const KernelDistanceOptions& options,
                               const RandomKey& key);

}  // namespace plumb
