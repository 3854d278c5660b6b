#pragma once

#include <array>
#include <vector>

#include "engine/tensor.h"

namespace plumb {

/// A mixture of isotropic 2D Gaussians of one width. It stays one under the forward process, so its density and score
/// are known in closed form at every noise level:
///   x0 ~ sum_k w_k N(c_k, s^2 I)   =>   x_t ~ sum_k w_k N(alpha c_k, v I),   v = alpha^2 s^2 + sigma^2
/// with alpha = sqrt(abar_t), sigma = sqrt(1 - abar_t).
class Mixture2d {
 public:
  struct Component {
    double weight;
    std::array<double, 2> center;
  };

  /// Weights are normalised. Throws ValueError without components, for a negative weight or a width that is not > 0.
  Mixture2d(std::vector<Component> components, double width);

  const std::vector<Component>& components() const { return components_; }
  double width() const { return width_; }

  /// log p_t(x), nats. x: [N, 2] f32 or f64 · abar: of the noise level, 1 for clean data · returns [N] like x.
  Tensor log_density(const Tensor& x, double abar = 1) const;
  /// grad_x log p_t(x) at one point.
  std::array<double, 2> score(std::array<double, 2> x, double abar) const;

 private:
  std::vector<Component> components_;
  double width_;
};

}  // namespace plumb
