#pragma once

#include "autograd/variable.h"
#include "engine/random/random_key.h"

namespace plumb {

/// A normal distribution with independent elements, as an encoder describes it.  [Kingma & Welling 2014]
/// Differentiable in the moments.
class DiagonalGaussian {
 public:
  /// moments: [N, 2 C, …], means in front of logarithms of variances; these are clamped to [-30, 20].
  /// Throws ShapeError unless the number of channels is even.
  explicit DiagonalGaussian(const Variable& moments);

  const Variable& mean() const { return mean_; }      ///< [N, C, …]
  const Variable& logvar() const { return logvar_; }  ///< [N, C, …]
  const Variable& mode() const { return mean_; }

  /// mean + exp(logvar / 2) noise. noise: like mean. Throws ShapeError.
  Variable sample(const Tensor& noise) const;
  /// With noise from the key, drawn in the moments' dtype.
  Variable sample(const RandomKey& key) const;
  /// Kullback-Leibler divergence from the standard normal, of each sample: sum (mean^2 + var - 1 - logvar) / 2, [N].
  Variable kl() const;

 private:
  Variable mean_, logvar_;
};

}  // namespace plumb
